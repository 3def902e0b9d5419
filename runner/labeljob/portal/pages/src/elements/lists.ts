/** Attribute values that templates write as JSON, or nearly: single quotes, bare keys, commas. */
import JSON5 from "json5";
import { post } from "./delivery";

/** Read such a value; null when there is none, or when it cannot be read, which the portal is told. */
export function readJson(text: string | null, where: string): unknown {
  if (!text?.trim()) return null;
  try {
    return JSON5.parse(text) as unknown;
  } catch (error) {
    post({ labeljob: "error", text: `${where} is not a list or an object: ${String(error)}` });
    return null;
  }
}

/** The names in a list of strings, or of objects with a `label`; each name once. */
export function readNames(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  const names = value.map((item: unknown) =>
    typeof item === "object" && item !== null && "label" in item ? String(item.label) : String(item),
  );
  return [...new Set(names)];
}
