/** The team: who is in it, and how they get in. */
import { html, render } from "lit";
import { confirmInDialog } from "./dialog";
import { announce, describeError, postJson } from "./http";

interface Invitation {
  email: string;
  link: string;
}

export function startTeam(): void {
  const form = document.querySelector<HTMLFormElement>("#add form");
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    const values = new FormData(form);
    void invite("/owner/api/team/add", {
      email: String(values.get("email") ?? ""),
      name: String(values.get("name") ?? ""),
    }).then((done) => {
      if (done) form.reset();
    });
  });
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-action]")) {
    button.addEventListener("click", () => void act(button));
  }
}

async function act(button: HTMLButtonElement): Promise<void> {
  const email = button.dataset["email"] ?? "";
  if (button.dataset["action"] === "reset") {
    const confirmed = await confirmInDialog(
      `New link for ${email}?`,
      "The old password ends to work and all sessions end. You get a link to hand on.",
      "Make a new link",
    );
    if (confirmed) await invite("/owner/api/team/reset", { email });
    return;
  }
  const confirmed = await confirmInDialog(
    `Remove ${email}?`,
    "The person cannot sign in any more. Answers that were given stay.",
    "Remove",
  );
  if (!confirmed) return;
  try {
    await postJson("/owner/api/team/remove", { email });
    window.location.reload();
  } catch (error) {
    announce(describeError(error), "bad");
  }
}

async function invite(url: string, body: object): Promise<boolean> {
  const place = document.querySelector<HTMLElement>("#invitation");
  try {
    const made = await postJson<Invitation>(url, body);
    if (place) {
      place.hidden = false;
      render(
        html`<h2>Link for ${made.email}</h2>
          <p>Hand it on; it works once. It is not shown again.</p>
          <p><input readonly aria-label="Link for ${made.email}" .value=${made.link} @focus=${(event: Event) => (event.target as HTMLInputElement).select()}></p>
          <p><button type="button" @click=${() => window.location.reload()}>Done</button></p>`,
        place,
      );
      place.querySelector("input")?.focus();
    }
    announce("");
    return true;
  } catch (error) {
    announce(describeError(error), "bad");
    return false;
  }
}
