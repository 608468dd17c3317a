/** From the start of a process to a first result: `node start.mjs PEER FOLDER VARIANT`. */
import { readJob } from "./peers/job.mjs";

const [, , peer, folder, variant] = process.argv;
const { prepare } = await import(`./peers/${peer}.mjs`);
const contender = await prepare(readJob(folder), JSON.parse(variant));
await contender.step();
process.exit(0);
