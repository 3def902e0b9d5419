/** Server-sent events: one stream, opened again when it is lost. */
import { getJson } from "./http";

const LONGEST_WAIT = 30_000;
/** The server says something at least this often, in milliseconds. */
const SILENCE = 45_000;

export function followEvents<T>(
  url: string,
  update: (value: T) => void,
  connection: (connected: boolean) => void,
): void {
  let wait = 1000;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let source: EventSource | undefined;

  const open = (): void => {
    source?.close();
    source = new EventSource(url);
    listen();
    source.addEventListener("open", () => {
      wait = 1000;
      connection(true);
      listen();
    });
    source.addEventListener("status", (event: MessageEvent<string>) => {
      listen();
      update(JSON.parse(event.data) as T);
    });
    source.addEventListener("heartbeat", listen);
    source.addEventListener("error", retry);
  };
  const listen = (): void => {
    clearTimeout(timer);
    timer = setTimeout(retry, SILENCE);
  };
  const retry = (): void => {
    connection(false);
    // Leads to the sign-in where the session has ended.
    getJson("/api/session").catch(() => undefined);
    source?.close();
    source = undefined;
    clearTimeout(timer);
    timer = setTimeout(open, wait);
    wait = Math.min(LONGEST_WAIT, wait * 2);
  };
  // A page in the background keeps no connection.
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) {
      source?.close();
      source = undefined;
    } else if (!source) {
      open();
    }
  });
  window.addEventListener("pagehide", () => source?.close());
  open();
}
