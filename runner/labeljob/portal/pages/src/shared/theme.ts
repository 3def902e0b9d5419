/** Light or dark: as on the device, unless chosen. The choice is a cookie, which the server writes
 * into every page, so that none flashes in the other colors. */

import type { Theme } from "./messages";

const cookie = "labeljob-theme";
const dark = window.matchMedia("(prefers-color-scheme: dark)");

/** The choice: "" is as on the device. */
export function chosenTheme(): Theme | "" {
  const chosen = document.documentElement.dataset["theme"];
  return chosen === "light" || chosen === "dark" ? chosen : "";
}

/** What the page looks like now. */
export function currentTheme(): Theme {
  return chosenTheme() || (dark.matches ? "dark" : "light");
}

export function chooseTheme(theme: Theme | ""): void {
  if (theme) document.documentElement.dataset["theme"] = theme;
  else delete document.documentElement.dataset["theme"];
  const age = theme ? 365 * 86400 : 0;
  document.cookie = `${cookie}=${theme}; path=/; max-age=${age}; samesite=lax`;
}

export function onDeviceTheme(listener: () => void): void {
  dark.addEventListener("change", listener);
}

/** Let the button of the page's header switch between light and dark. */
export function startThemeSwitch(): void {
  const button = document.querySelector<HTMLButtonElement>("[data-theme-switch]");
  if (!button) return;
  const label = (): void => {
    button.textContent = currentTheme() === "dark" ? "Light mode" : "Dark mode";
    button.title = `Show the portal in ${currentTheme() === "dark" ? "light" : "dark"} colors`;
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    chooseTheme(currentTheme() === "dark" ? "light" : "dark");
    label();
  });
  onDeviceTheme(label);
  label();
}
