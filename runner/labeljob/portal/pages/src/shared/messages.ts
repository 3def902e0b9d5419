/** What the portal's page and the worker page in its frame say to each other by postMessage. */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** A worker's answer: one entry per named field of the page. */
export type Answer = { [name: string]: Json };

/** A key of the page and what it does. */
export type Key = [key: string, meaning: string];

export type Theme = "light" | "dark";

/** The page becomes visible. With `advance` a number key answers and submits in one go. */
export interface Show {
  labeljob: "show";
  advance: boolean;
  /** What to go on with: an earlier answer of the worker's, or what they had begun. */
  answer: Answer | null;
  theme: Theme;
}

/** How the worker looked at the image before, before the page is shown: what a page said last with
 * its own `view`. */
export interface View {
  labeljob: "view";
  view: Json;
}

/** The answer was not taken; the worker may submit again. */
export interface Refused {
  labeljob: "refused";
  text: string;
}

/** A key that was pressed beside the page. */
export interface Press {
  labeljob: "press";
  key: string;
}

export type MessageToPage = View | Show | Refused | Press;

export type MessageFromPage =
  | { labeljob: "ready"; keys: Key[] }
  | { labeljob: "help" }
  | View
  /** The worker has changed something; a draft follows. */
  | { labeljob: "changed" }
  /** The answer as it stands, which is not submitted. */
  | { labeljob: "draft"; answer: Answer }
  | { labeljob: "answer"; answer: Answer }
  | { labeljob: "error"; text: string };
