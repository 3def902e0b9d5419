/** A question that is answered before anything happens. */
import { html, render } from "lit";

export function confirmInDialog(title: string, text: string, action: string): Promise<boolean> {
  const dialog = document.createElement("dialog");
  dialog.className = "question";
  dialog.setAttribute("aria-labelledby", "question-title");
  render(
    html`<form method="dialog">
      <h2 id="question-title">${title}</h2>
      <p>${text}</p>
      <div class="buttons">
        <button value="yes" class="danger">${action}</button>
        <button value="no" autofocus>Cancel</button>
      </div>
    </form>`,
    dialog,
  );
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    dialog.showModal();
  });
}
