/** What a model of an example says, as floats. */
import type { Inputs } from "../../runtime/call.ts";
import type { Session } from "../../runtime/session.ts";

export async function predict(session: Session, model: string, inputs: Inputs): Promise<Float32Array> {
  const { output } = (await session.models[model]?.predict(inputs)) ?? {};
  if (!(output instanceof Float32Array)) throw new Error(`there is no model ${model}`);
  return output;
}
