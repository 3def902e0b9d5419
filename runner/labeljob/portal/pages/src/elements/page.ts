/** The life of a worker page: from loading to being shown, answered and, perhaps, refused. */
import type { Answer, MessageToPage, Theme } from "../shared/messages";
import { isFramed, post } from "./delivery";
import { Drafts } from "./drafts";
import { CrowdForm } from "./form";
import { defineMissing } from "./missing";
import { settings } from "./settings";
import { pageStyle } from "./styles";
import { TaskElement } from "./task_element";
import { CrowdInput, CrowdTextArea } from "./text_fields";
import { Viewer } from "./viewer";

const LONGEST_WAIT = 4000;

export function startPage(): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(pageStyle);
  document.adoptedStyleSheets = [sheet, ...document.adoptedStyleSheets];
  window.addEventListener("error", (event) => {
    // Browsers report so that a size changed twice in one frame, which harms nothing.
    if (!event.message.startsWith("ResizeObserver loop")) post({ labeljob: "error", text: event.message });
  });
  const ready = waitForDocument().then(makeReady);
  window.addEventListener("message", (event: MessageEvent<MessageToPage>) => {
    if (event.source !== window.parent || !isFramed) return;
    void ready.then(() => receive(event.data));
  });
  if (!isFramed) void ready.then(() => show(null, null));
}

async function waitForDocument(): Promise<void> {
  if (document.readyState !== "loading") return;
  await new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve, { once: true }));
}

async function makeReady(): Promise<void> {
  defineMissing(document);
  new MutationObserver(() => defineMissing(document)).observe(document.body, { childList: true, subtree: true });
  wrapLooseTasks();
  document.title ||= "Task";
  document.documentElement.lang ||= "en";
  setTheme(null);
  await settle();
  for (const form of findForms()) form.arrange();
  await settle();
  document.dispatchEvent(new CustomEvent("all-crowd-elements-ready", { bubbles: true }));
  await settle();
  await Promise.race([waitForImages(), new Promise((resolve) => setTimeout(resolve, LONGEST_WAIT))]);
  const keys = [...allElements(document)].flatMap((element) => (element instanceof TaskElement ? element.keys : []));
  post({ labeljob: "ready", keys });
}

/** A template may have forgotten `crowd-form`: then there is one around its task element. */
function wrapLooseTasks(): void {
  for (const element of document.querySelectorAll("*")) {
    if (!(element instanceof TaskElement) || element.closest("crowd-form")) continue;
    const form = document.createElement("crowd-form");
    element.replaceWith(form);
    form.append(element);
  }
}

/** Wait until everything is rendered, what is rendered by something else too. */
async function settle(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    const pending = [...allElements(document)].map((element) =>
      "updateComplete" in element ? (element.updateComplete as Promise<unknown>) : null,
    );
    await Promise.all(pending);
  }
}

function* allElements(root: ParentNode): Generator<Element> {
  for (const element of root.querySelectorAll("*")) {
    yield element;
    if (element.shadowRoot) yield* allElements(element.shadowRoot);
  }
}

function findForms(): CrowdForm[] {
  return [...allElements(document)].filter((element) => element instanceof CrowdForm);
}

async function waitForImages(): Promise<void> {
  const waits = [...allElements(document)].map(async (element) => {
    if (element instanceof Viewer || element instanceof TaskElement) await element.decoded;
    else if (element instanceof HTMLImageElement && element.loading !== "lazy") {
      await element.decode().catch(() => undefined);
    }
  });
  await Promise.all(waits);
}

function receive(message: MessageToPage): void {
  if (message.labeljob === "view") {
    for (const element of allElements(document)) if (element instanceof TaskElement) element.takeView(message.view);
  } else if (message.labeljob === "show") {
    settings.advance = message.advance;
    show(message.answer, message.theme);
  } else if (message.labeljob === "refused") {
    for (const form of findForms()) form.refuse(message.text);
  } else if (message.labeljob === "press") {
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key: message.key, bubbles: true, composed: true }));
  }
}

let wasShown = false;

/** Shown again, only the looks may have changed: what the worker did meanwhile stays. */
function show(answer: Answer | null, theme: Theme | null): void {
  setTheme(theme);
  if (wasShown) return;
  wasShown = true;
  const forms = findForms();
  for (const form of forms) {
    form.arrange();
    if (answer) form.restore(answer);
  }
  if (isFramed) void settle().then(() => new Drafts(forms));
  takeFocus();
}

/** A page that brings colors of its own is light, as its author saw it; ours follow the theme. */
function setTheme(theme: Theme | null): void {
  const colored = document.querySelector(
    "style, link[rel~=stylesheet], [style*=color], [style*=background], [bgcolor], [color]",
  );
  document.documentElement.dataset["labeljobTheme"] = colored ? "light" : (theme ?? "both");
}

function takeFocus(): void {
  window.focus();
  const elements = [...document.querySelectorAll("*")];
  const field = elements.find(
    (element) => (element instanceof CrowdInput || element instanceof CrowdTextArea) && element.wantsFocus,
  );
  const target = field ?? elements.find((element) => element instanceof TaskElement);
  if (target instanceof HTMLElement) {
    target.focus();
  } else if (document.activeElement === document.body || !document.activeElement) {
    document.body.tabIndex = -1;
    document.body.focus({ preventScroll: true });
  }
}
