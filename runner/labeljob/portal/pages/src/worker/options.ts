/** The worker's options, kept in this browser, and the keys of the task. */

import type { Key, Theme } from "../shared/messages";
import { chooseTheme, chosenTheme, currentTheme, onDeviceTheme } from "../shared/theme";
import { find } from "./page_elements";
import type { ShowOptions } from "./task_frame";

const advanceKey = "labeljob-advance";

export class Options {
  private readonly dialog = find<HTMLDialogElement>("#options-dialog");
  private readonly advance = find<HTMLInputElement>("#advance");
  private readonly keys = find("#keys");
  private readonly theme = find<HTMLSelectElement>("#theme");

  constructor(changed: () => void, closed: () => void) {
    this.advance.checked = localStorage.getItem(advanceKey) !== "no";
    this.theme.value = chosenTheme();
    this.advance.addEventListener("change", () => {
      localStorage.setItem(advanceKey, this.advance.checked ? "yes" : "no");
      changed();
    });
    this.theme.addEventListener("change", () => {
      chooseTheme(this.theme.value as Theme | "");
      changed();
    });
    onDeviceTheme(changed);
    this.dialog.addEventListener("close", closed);
  }

  get forPage(): ShowOptions {
    return { advance: this.advance.checked, theme: currentTheme() };
  }

  open(keys: Key[]): void {
    this.keys.replaceChildren(
      ...keys.map(([key, meaning]) => {
        const row = document.createElement("tr");
        const name = document.createElement("kbd");
        name.textContent = key;
        row.insertCell().append(name);
        row.insertCell().textContent = meaning;
        return row;
      }),
    );
    if (!this.dialog.open) this.dialog.showModal();
  }
}
