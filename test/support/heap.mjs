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
// What every step allocates or keeps shows in each round; what an engine compiles late, on busy cores later still, in some.
let found;
for (let round = 0; round < 8; round++) {
  const before = held();
  await steps(200);
  const during = process.memoryUsage();
  await steps(800);
  const after = held();
  const figures = {
    retained: after.heapUsed - before.heapUsed,
    retainedArrays: after.arrayBuffers - before.arrayBuffers,
    stepHeap: (during.heapUsed - before.heapUsed) / 200,
    stepArrays: (during.arrayBuffers - before.arrayBuffers) / 200,
  };
  found = Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [name, Math.min(value, found?.[name] ?? value)]),
  );
}
console.log(JSON.stringify(found));
net.dispose();
