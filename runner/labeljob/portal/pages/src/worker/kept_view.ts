/** How the worker looks at the images of a job: what one page says of it, the next one is told. */

import type { Json } from "../shared/messages";

const longest = 50_000; // characters; a page is a stranger, and may say anything

export class KeptView {
  private readonly key: string;

  constructor(worker: string, job: string) {
    this.key = `labeljob-view:${worker}:${job}`;
  }

  get view(): Json {
    try {
      return JSON.parse(localStorage.getItem(this.key) ?? "null") as Json;
    } catch {
      return null;
    }
  }

  keep(view: Json): void {
    try {
      const text = JSON.stringify(view) ?? "";
      if (text.length <= longest) localStorage.setItem(this.key, text);
    } catch {
      // It is no JSON, or the browser has no room: the next image is looked at as before.
    }
  }
}
