/** The way to the portal around the page's frame; without one, what would be sent is shown. */
import type { Answer, MessageFromPage } from "../shared/messages";

export const isFramed = window.parent !== window;

export function post(message: MessageFromPage): void {
  if (isFramed) window.parent.postMessage(message, "*");
}

/** Send an answer. Gives whether somebody takes it: then the page waits for what is said to it. */
export function deliver(answer: Answer): boolean {
  post({ labeljob: "answer", answer });
  if (!isFramed) show(answer);
  return isFramed;
}

function show(answer: Answer): void {
  const id = "labeljob-answer";
  const dialog = document.querySelector<HTMLDialogElement>(`#${id}`) ?? document.createElement("dialog");
  dialog.id = id;
  const title = document.createElement("h2");
  title.textContent = "This answer would be submitted";
  const text = document.createElement("pre");
  text.textContent = JSON.stringify(answer, null, 2);
  text.style.overflow = "auto";
  const close = document.createElement("button");
  close.textContent = "Close";
  close.onclick = () => dialog.close();
  dialog.replaceChildren(title, text, close);
  document.body.append(dialog);
  dialog.showModal();
}
