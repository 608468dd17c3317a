import fc from "fast-check";
import { expect, test } from "vitest";
import { parse, print } from "../../grammar/parse.ts";
import { modules } from "./arbitrary.ts";
import { meaning } from "./support.ts";

test("parse . print is the identity on every tree", () => {
  fc.assert(
    fc.property(modules, (module) => {
      const text = print(module);
      const read = parse({ file: "generated.dlx", text });
      expect(read.problems, text).toEqual([]);
      expect(meaning(read.module), text).toEqual(meaning(module));
      // and the layout settles at once
      expect(print(read.module)).toBe(text);
    }),
    { numRuns: process.env.DLX_DEEP ? 5_000 : 400 },
  );
});
