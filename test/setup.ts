/** Property tests draw new cases every time, but in CI the same ones: a change is not refused for what another draw finds. */
import fc from "fast-check";

if (process.env.CI && process.env.DLX_DEEP === undefined) fc.configureGlobal({ seed: 20261122 });
