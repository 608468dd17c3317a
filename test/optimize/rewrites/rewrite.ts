/** Before and after. Graphs without inputs stay unchanged where `after` says the same. */
export interface Rewrite {
  readonly before: string;
  readonly after: string;
}
/** Cases by the passes that are run, by what they show. */
export type Rewrites = Readonly<Record<string, Readonly<Record<string, Rewrite>>>>;

export const same = (text: string): Rewrite => ({ before: text, after: text });
