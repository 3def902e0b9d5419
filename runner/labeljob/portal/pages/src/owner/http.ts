/** Talks to the portal, and reads what a page came with. */

export class RequestError extends Error {}

function csrf(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csrf"]')?.content ?? "";
}

async function readAnswer<T>(response: Response): Promise<T> {
  const answer: unknown = await response.json().catch(() => null);
  if (response.status === 401) {
    window.location.assign(`/sign-in?next=${encodeURIComponent(window.location.pathname)}`);
  }
  if (response.ok) return answer as T;
  const told = answer as { error?: unknown } | null;
  throw new RequestError(
    typeof told?.error === "string" ? told.error : `The portal answered ${response.status}.`,
  );
}

async function send(url: string, options: RequestInit): Promise<Response> {
  try {
    return await fetch(url, options);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new RequestError("The portal cannot be reached. Is it still running?");
  }
}

export async function getJson<T>(url: string, signal?: AbortSignal): Promise<T> {
  return readAnswer<T>(await send(url, signal ? { signal } : {}));
}

export async function postJson<T>(url: string, body: unknown = {}): Promise<T> {
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": csrf() };
  return readAnswer<T>(await send(url, { method: "POST", headers, body: JSON.stringify(body) }));
}

/** The JSON that a page came with. */
export function readBoot<T>(): T {
  const element = document.querySelector('script[type="application/json"]#boot');
  return JSON.parse(element?.textContent ?? "null") as T;
}

export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Say something to everybody, those who hear the page too. */
export function announce(text: string, kind: "good" | "bad" = "good"): void {
  const place = document.querySelector<HTMLElement>("#announcement");
  if (!place) return;
  place.className = `notice ${kind}`;
  place.textContent = text;
  place.hidden = text === "";
}
