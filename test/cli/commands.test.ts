import { readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { reportFailure } from "../../compiler/cli/failure.ts";
import { InvariantError } from "../../compiler/invariant.ts";
import { temporaryFolder } from "../support/folder.ts";
import { dlx } from "../support/terminal.ts";

const { path: folder, write } = temporaryFolder();
const untidy = "fn  double(x: f32) -> f32 =   2*x\n";
const tidy = "fn double(x: f32) -> f32 = 2 * x\n";
const broken = write("broken.dlx", "fn f( = \nfn g(x: f32) -> f32 = x\n");

describe("wrong usage exits with 2 and says what is right", () => {
  test.each([
    [["frobnicate"], /unknown command 'frobnicate'/],
    [[], /Usage: dlx/],
    [["fmt"], /missing required argument 'files'/],
    [["train", "m.dlx", "--out", "a"], /say with --data what to train on, or, .* with --limit how many steps/],
    [["train", "m.dlx", "--out", "a", "--epochs", "3"], /--epochs is about rows of data: name them with --data/],
    [["train", "m.dlx", "--out", "a", "--limit", "9", "--patience", "3", "--epochs", "3"], /name them with --data/],
    [["train", "m.dlx", "--out", "a", "--search", "rate=0.1,0.2"], /--search is about rows of data/],
    [["train", "m.dlx", "--data", "x", "--out", "a", "--epochs", "0"], /Expected a whole number from 1/],
    [["train", "m.dlx", "--data", "x", "--out", "a", "--epochs", "1.5"], /Expected a whole number from 1/],
    [["train", "m.dlx", "--data", "x", "--out", "a", "--device", "tpu"], /Allowed choices are auto, cpu, webgpu/],
    [["train", "m.dlx", "--data", "nothing", "--out", join(folder, "run")], /--data nothing: begin with one of idx:/],
    [["train", "m.dlx", "--data", "x", "--out", "a", "--weights", "w", "--resume"], /drop --weights/],
    ...["0", "-1", "1.5", "1000", "two"].map(
      (threads) =>
        [
          ["run", "m.dlx", "f", "--threads", threads],
          /'--threads <count>'.* Expected a whole number from 1 to 64/,
        ] as const,
    ),
    [["build", "m.dlx", "--out", "a", "--target", "cuda"], /Expected wasm, webgpu or both/],
    [["build", "m.dlx", "--out", "a", "--batch", "1,x"], /Expected a whole number/],
    [["build", "m.dlx", "--out", "a", "--set", "batch"], /Expected name=value/],
    [["ir", "m.dlx", "--stage", "parse"], /Allowed choices are ast/],
    [["explain", "E9999"], /there is no diagnostic E9999/],
    [["explain", "E01O1"], /did you mean E0101/],
    ...["doctor", "graph", "import", "export", "new", "lsp"].map(
      (name) => [[name], new RegExp(`dlx ${name}.* is not there yet`)] as const,
    ),
  ] as [string[], RegExp][])("%j", async (parameters, message) => {
    const { code, notes, out } = await dlx(parameters);
    expect(notes).toMatch(message);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(notes).not.toMatch(/\n\s+at /);
  });
});

test.each([["--help"], ["train", "--help"], ["--version"]])(
  "%s is answered on standard output",
  async (...parameters) => {
    const { code, out, notes } = await dlx(parameters);
    expect([code, notes]).toEqual([0, ""]);
    expect(out).not.toBe("");
  },
);

describe("fmt", () => {
  test("formats in place, through links, and only where needed", async () => {
    const path = write("untidy.dlx", untidy);
    const link = join(folder, "link.dlx");
    symlinkSync(path, link);
    expect(await dlx(["fmt", link])).toEqual({ code: 0, out: "", notes: "" });
    expect(readFileSync(path, "utf8")).toBe(tidy);
    const { mtimeMs } = statSync(path);
    await dlx(["fmt", path]);
    expect(statSync(path).mtimeMs).toBe(mtimeMs);
  });
  test("--check changes nothing", async () => {
    const path = write("checked.dlx", untidy);
    expect(await dlx(["fmt", "--check", path])).toEqual({ code: 1, out: "", notes: `${path} is not formatted\n` });
    expect(readFileSync(path, "utf8")).toBe(untidy);
    expect(JSON.parse((await dlx(["fmt", "--check", "--json", path])).out)).toEqual({ changed: [path] });
  });
  test("standard input", async () => {
    expect(await dlx(["fmt", "-"], { input: untidy })).toEqual({ code: 0, out: tidy, notes: "" });
  });
  test("a file with errors stays as it is", async () => {
    const before = readFileSync(broken, "utf8");
    const { code, notes } = await dlx(["fmt", broken]);
    expect(code).toBe(1);
    expect(notes).toMatch(/^error\[E01\d\d\].*\n *--> .*broken.dlx:1:/);
    expect(readFileSync(broken, "utf8")).toBe(before);
  });
  test.each([
    [join(folder, "none.dlx"), /cannot read .*none.dlx: there is no such file/],
    [folder, /it is a folder/],
    [write("latin.dlx", Uint8Array.of(0xe9)), /not text in UTF-8/],
  ])("%s", async (path, message) => {
    const { code, notes } = await dlx(["fmt", path]);
    expect(code).toBe(1);
    expect(notes).toMatch(/^error\[E0614\]/);
    expect(notes).toMatch(message);
  });
});

describe("check", () => {
  test("--json gives places", async () => {
    const { code, out } = await dlx(["check", "--json", broken]);
    expect(code).toBe(1);
    const [first] = JSON.parse(out).diagnostics;
    expect(first).toMatchObject({ severity: "error", file: broken, line: 1 });
    expect(Object.keys(first)).toEqual([
      "code",
      "severity",
      "message",
      "file",
      "line",
      "column",
      "endLine",
      "endColumn",
      "help",
    ]);
  });
});

describe("explain", () => {
  test("in either case, as text and as JSON", async () => {
    const { code, out } = await dlx(["explain", "e0101"]);
    expect([code, out.slice(0, 5)]).toEqual([0, "E0101"]);
    expect(JSON.parse((await dlx(["explain", "E0101", "--json"])).out)).toMatchObject({ code: "E0101" });
  });
  test("without a code: all of them", async () => {
    expect((await dlx(["explain"])).out.split("\n").length).toBeGreaterThan(10);
  });
});

test("a defect exits with 3, a request to report it, and a file that has the stack", async () => {
  let notes = "";
  const terminal = {
    out: () => {},
    note: (text: string) => {
      notes += text;
    },
    interactive: false,
    color: false,
    input: async () => "",
    onInterrupt: () => () => {},
  };
  const code = await reportFailure(new InvariantError("two is three"), terminal, {
    json: false,
    command: ["check", "a.dlx"],
  });
  expect(code).toBe(3);
  expect(notes).toMatch(/^defect: two is three\n.*Please report it with the file (.*report.txt)\./);
  const dump = /file (.*report\.txt)/.exec(notes)?.[1] ?? "";
  expect(readFileSync(dump, "utf8")).toMatch(/^dlx check a.dlx\n[\s\S]*InvariantError: two is three\n\s+at /);
});
