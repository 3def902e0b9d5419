/** Colors and shapes of the elements, and what an unstyled page starts from. */
import { css } from "lit";

/** For the document: nothing here is stronger than a template's own style. */
export const pageStyle = `
:root {
  color-scheme: light;
  --crowd-surface: light-dark(#fbfbfc, #15181d);
  --crowd-raised: light-dark(#ffffff, #1e2229);
  --crowd-text: light-dark(#1b2330, #e8ebf0);
  --crowd-muted: light-dark(#566070, #a4aebb);
  --crowd-line: light-dark(#d8dde5, #363d48);
  --crowd-edge: light-dark(#7d8696, #76808f);
  --crowd-accent: light-dark(#2457b3, #8db2f8);
  --crowd-accent-text: light-dark(#ffffff, #10203c);
  --crowd-chosen: light-dark(#e9f0fd, #233250);
  --crowd-good: light-dark(#16703c, #71cb97);
  --crowd-warning: light-dark(#855300, #e9bd6c);
  --crowd-bad: light-dark(#a8360a, #f39a6a);
}
:root[data-labeljob-theme="both"] { color-scheme: light dark; }
:root[data-labeljob-theme="dark"] { color-scheme: dark; }
:where(html) { background: var(--crowd-surface); color: var(--crowd-text); }
:where(body) { margin: 0; font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; overflow-wrap: break-word; }
:where(body:focus) { outline: none; }
:where(a) { color: var(--crowd-accent); }
:where(full-instructions, short-instructions, classification-target, worker-comment, short-summary,
  detailed-instructions, positive-example, negative-example) { display: block; }
:where(img, video) { max-width: 100%; }
:where(input:not([type]), input[type=text], input[type=number], input[type=date], input[type=url],
  input[type=email], input[type=search], select, textarea) {
  font: inherit; padding: 0.4rem 0.6rem; min-height: 2.5rem; max-width: 100%; box-sizing: border-box;
  border: 1px solid var(--crowd-edge); border-radius: 0.4rem; background: var(--crowd-raised); color: inherit;
}
:where(input[type=checkbox], input[type=radio]) { width: 1.15rem; height: 1.15rem; vertical-align: -0.2rem; accent-color: var(--crowd-accent); }
:where(button) { font: inherit; min-height: 2.5rem; padding: 0.3rem 1rem; border: 1px solid var(--crowd-edge); border-radius: 0.6rem; background: var(--crowd-raised); color: inherit; cursor: pointer; }
:where(dialog) { max-width: min(46rem, 92vw); border: 1px solid var(--crowd-line); border-radius: 0.8rem; background: var(--crowd-raised); color: var(--crowd-text); }
`;

/** For every element's inside. */
export const shared = css`
  *, ::before, ::after { box-sizing: border-box; }
  [hidden] { display: none !important; }
  :focus-visible { outline: 3px solid var(--crowd-accent); outline-offset: 2px; }
  button, a.button {
    display: inline-flex; align-items: center; justify-content: center; gap: 0.4rem;
    min-height: 2.5rem; min-width: 2.5rem; padding: 0.3rem 1rem;
    border: 1px solid var(--crowd-edge); border-radius: 0.6rem;
    background: var(--crowd-raised); color: var(--crowd-text);
    font: inherit; font-weight: 550; line-height: 1.2; text-decoration: none; cursor: pointer;
  }
  button:hover, a.button:hover { border-color: var(--crowd-accent); color: var(--crowd-accent); }
  button:disabled { opacity: 0.55; cursor: not-allowed; }
  .primary { background: var(--crowd-accent); border-color: var(--crowd-accent); color: var(--crowd-accent-text); }
  .primary:hover:not(:disabled) { background: color-mix(in srgb, var(--crowd-accent) 85%, var(--crowd-text)); color: var(--crowd-accent-text); }
  .quiet { border-color: transparent; background: none; color: var(--crowd-accent); text-decoration: underline; padding-inline: 0.4rem; }
  .complaint { margin: 0.35rem 0 0; color: var(--crowd-bad); font-weight: 550; }
  .hint { margin: 0.35rem 0 0; color: var(--crowd-muted); font-size: 0.875rem; }
  .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  input, select, textarea { font: inherit; color: inherit; }
  input[type="checkbox"], input[type="radio"] { width: 1.15rem; height: 1.15rem; margin: 0; flex: none; accent-color: var(--crowd-accent); }
  .box {
    width: 100%; min-height: 2.75rem; padding: 0.5rem 0.75rem; border: 1px solid var(--crowd-edge);
    border-radius: 0.6rem; background: var(--crowd-raised); color: var(--crowd-text);
  }
  .box[aria-invalid="true"] { border-color: var(--crowd-bad); }
  .box:disabled { opacity: 0.6; }
  dialog {
    width: min(46rem, 92vw); max-height: 86dvh; padding: 0; border: 1px solid var(--crowd-line);
    border-radius: 0.8rem; background: var(--crowd-raised); color: var(--crowd-text); overflow: auto;
  }
  dialog::backdrop { background: rgb(10 14 20 / 55%); }
  dialog > header {
    position: sticky; top: 0; display: flex; align-items: center; gap: 1rem; padding: 0.75rem 0.75rem 0.75rem 1.25rem;
    background: var(--crowd-raised); border-bottom: 1px solid var(--crowd-line);
  }
  dialog > header h2 { flex: 1; margin: 0; font-size: 1.2rem; line-height: 1.3; }
  dialog > div { padding: 1rem 1.25rem 1.5rem; }
`;
