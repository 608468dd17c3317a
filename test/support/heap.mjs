// What a thousand steps of a bundle's only train block leave on the heap, and what one step allocates, in bytes:
// `node --expose-gc --max-semi-space-size=64 heap.mjs URL INPUTS`, INPUTS being `{name: {length, integer}}` in JSON.
const [, , url, inputs] = process.argv;
const { load } = await import(url);
const net = await load({ device: "cpu", weights: "random" });
const given = Object.fromEntries(
  Object.entries(JSON.parse(inputs)).map(([name, { length, integer }]) => [
    name,
    integer ? new Int32Array(length) : new Float32Array(length).fill(0.1),
  ]),
);
const steps = async (count) => {
  for (let k = 0; k < count; k++) await net.trainStep(given);
};
const held = () => {
  gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { heapUsed, arrayBuffers };
};
// Compiled, optimised and with every cache filled.
await steps(1000);
// What is kept of every step is kept in each round; what an engine compiles late, on busy cores later still, is kept in some.
let [retained, retainedArrays] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
for (let round = 0; round < 8; round++) {
  const before = held();
  await steps(1000);
  const after = held();
  retained = Math.min(retained, after.heapUsed - before.heapUsed);
  retainedArrays = Math.min(retainedArrays, after.arrayBuffers - before.arrayBuffers);
}
const start = process.memoryUsage();
await steps(200);
const end = process.memoryUsage();
console.log(
  JSON.stringify({
    retained,
    retainedArrays,
    stepHeap: (end.heapUsed - start.heapUsed) / 200,
    stepArrays: (end.arrayBuffers - start.arrayBuffers) / 200,
  }),
);
net.dispose();
