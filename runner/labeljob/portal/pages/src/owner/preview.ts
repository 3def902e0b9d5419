/** The owner's try of a worker page: what it would submit, and what would become of that. */
import { html, nothing, render, type TemplateResult } from "lit";
import { currentTheme } from "../shared/theme";
import { describeError, postJson, readBoot } from "./http";

interface Boot {
  job: string;
}

interface Judgement {
  usable: boolean;
  text: string;
  reason: string;
  detail: string;
  comment: string;
}

export function startPreview(): void {
  const boot = readBoot<Boot>();
  const frame = document.querySelector<HTMLIFrameElement>("iframe#page");
  const result = document.querySelector<HTMLElement>("#result");
  if (frame && result) new Preview(boot, frame, result);
}

class Preview {
  private readonly errors: string[] = [];

  constructor(
    private readonly boot: Boot,
    private readonly frame: HTMLIFrameElement,
    private readonly result: HTMLElement,
  ) {
    window.addEventListener("message", (event: MessageEvent<unknown>) => {
      if (event.source === frame.contentWindow) this.listen(event.data);
    });
    // The page may have been ready before this script was: then it is loaded again.
    const source = frame.dataset["src"];
    if (source) frame.src = source;
    this.draw(html`<p class="hint">Answer on the page as a worker would. Nothing is stored.</p>`);
  }

  private listen(message: unknown): void {
    if (typeof message !== "object" || message === null) return;
    const { labeljob, answer, text } = message as Record<string, unknown>;
    if (labeljob === "ready") this.send({ labeljob: "show", advance: false, answer: null, theme: currentTheme() });
    if (labeljob === "answer") void this.judge(answer);
    if (labeljob === "error") {
      this.errors.push(String(text).slice(0, 2000));
      this.drawErrors();
    }
  }

  private send(message: object): void {
    // A sandboxed page has no origin that could be named here.
    this.frame.contentWindow?.postMessage(message, "*");
  }

  private async judge(answer: unknown): Promise<void> {
    const json = JSON.stringify(answer, null, 2);
    try {
      const address = `/owner/api/jobs/${encodeURIComponent(this.boot.job)}/judge`;
      const judged = await postJson<Judgement>(address, { answer });
      this.draw(this.drawJudgement(json, judged));
    } catch (error) {
      this.draw(html`<p class="notice bad">${describeError(error)}</p><pre tabindex="0">${json}</pre>`);
    }
    this.send({ labeljob: "refused", text: "" });
  }

  private drawJudgement(json: string, judged: Judgement): TemplateResult {
    return html`${judged.usable
        ? html`<div class="notice good"><p><strong>This answer counts</strong> as: ${judged.text}</p></div>`
        : html`<div class="notice bad"><p><strong>This answer would be set aside</strong> (${judged.reason})</p><p>${judged.detail}</p></div>`}
      ${judged.comment ? html`<p>With the comment: <q>${judged.comment}</q></p>` : nothing}
      <h3>What a worker would have submitted</h3>
      <pre tabindex="0" aria-label="The answer as JSON">${json}</pre>
      <p class="hint">Nothing was stored. Change the answer and submit again, or edit the template and reload.</p>`;
  }

  private draw(content: TemplateResult): void {
    render(content, this.result);
  }

  private drawErrors(): void {
    const place = document.querySelector<HTMLElement>("#errors");
    if (!place) return;
    place.hidden = false;
    render(
      html`<h3>The page reports</h3><ul>${this.errors.slice(-20).map((text) => html`<li><code>${text}</code></li>`)}</ul>`,
      place,
    );
  }
}
