/** What stands in place of a task when there is none to show. */

import { find } from "./page_elements";

export interface PanelButton {
  text: string;
  act: () => void;
}

export class Panel {
  private readonly section = find("#panel");
  private readonly title = find("#panel-title");
  private readonly text = find("#panel-text");
  private readonly buttons = find("#panel-buttons");

  show(title: string, text = "", buttons: PanelButton[] = []): void {
    const isSame = !this.section.hidden && this.title.textContent === title;
    this.section.hidden = false;
    this.title.textContent = title;
    this.text.textContent = text;
    this.buttons.replaceChildren(
      ...buttons.map(({ text: label, act }, index) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = label;
        button.classList.toggle("primary", index === 0);
        button.addEventListener("click", act);
        return button;
      }),
    );
    const isElsewhere = document.activeElement?.closest("dialog, header, .actions, #notices");
    if (!isSame && !isElsewhere) (this.buttons.querySelector("button") ?? this.section).focus();
  }

  hide(): void {
    this.section.hidden = true;
  }
}
