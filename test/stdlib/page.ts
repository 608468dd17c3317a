/** `docs/stdlib.md`, made of the library's own declarations and doc comments. */
import { type LibraryFile, libraryFiles, modules } from "./names.ts";

const introduction = `# The standard library

Written by \`npm run golden -- --update\` from the doc comments in [\`stdlib/\`](../stdlib), every example of which the tests compile.
Everything here is dlx, to be read, copied and changed. \`import nn\` brings a module's names; a module passes on what it imports
itself. An example that begins with \`minimize\` stands in a train block like this one:

\`\`\`dlx
import nn
import loss
import optim

model Net(x: f32[N, 8]) -> f32[N, 3] = x |> dense(16) |> relu |> dense(3)

train net(batch: int = 32)(x: f32[batch, 8], label: i32[batch]) {
  minimize loss = cross_entropy(Net(x), label) over Net.params using sgd(lr: 0.1)
}
\`\`\`
`;

/** A declaration as it is written, without its body and what it demands. */
function signature(
  text: string,
  { start }: { start: number },
  bodyStart: number,
  whereStart: number | undefined,
): string {
  const head = text.slice(start, whereStart ?? bodyStart);
  return head
    .replace(/\bwhere\s*$/, "")
    .replace(/[={]\s*$/, "")
    .trim();
}

function section({ text, heading, declarations, file }: LibraryFile): string {
  const entries = declarations.map(({ name, span, body, where, doc }) => {
    const [first] = where;
    const nameAt = text.lastIndexOf("\n", name.span.start) + 1;
    const declared = signature(text, { start: Math.max(span.start, nameAt) }, body.span.start, first?.span.start);
    const words = doc
      .map((line) => line.replace(/^ /, ""))
      .join("\n")
      .trim();
    return `### ${name.text}\n\n\`\`\`dlx signature\n${declared}\n\`\`\`\n\n${words}\n`;
  });
  return [`*[${file}](../stdlib/${file})*${heading ? `: ${heading}` : ""}\n`, ...entries].join("\n");
}

export function page(): string {
  const parts = [...modules, "prelude"].map((module) => {
    const files = libraryFiles.filter((file) => file.module === module && file.declarations.length > 0);
    const title = module === "prelude" ? "prelude, known everywhere" : `import ${module}`;
    return [`## ${title}\n`, ...files.map(section)].join("\n");
  });
  return [introduction, ...parts].join("\n");
}
