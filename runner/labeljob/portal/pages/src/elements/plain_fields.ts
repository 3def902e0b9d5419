/** HTML's own fields inside a `crowd-form`: what they add to an answer. */
import type { Answer } from "../shared/messages";
import { readSwitch, writeSwitch } from "./field";

export type PlainField = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

const NO_ANSWER = new Set(["submit", "reset", "button", "image"]);

export function isPlainField(element: Element): element is PlainField {
  return (
    (element instanceof HTMLInputElement && !NO_ANSWER.has(element.type)) ||
    element instanceof HTMLSelectElement ||
    element instanceof HTMLTextAreaElement
  );
}

function isSwitch(field: PlainField): field is HTMLInputElement {
  return field instanceof HTMLInputElement && (field.type === "checkbox" || field.type === "radio");
}

/** Whether an answer without the field says that it is empty. */
function isText(field: PlainField): boolean {
  return field instanceof HTMLTextAreaElement || (field instanceof HTMLInputElement && field.type === "text");
}

export function writePlainField(field: PlainField, answer: Answer): void {
  if (!field.name || field.matches(":disabled")) return;
  if (isSwitch(field)) {
    writeSwitch(answer, field.name, field.value, field.checked);
  } else if (field instanceof HTMLSelectElement && field.multiple) {
    answer[field.name] = Array.from(field.selectedOptions, (option) => option.value);
  } else if (field.value !== "") {
    answer[field.name] = field.value;
  }
}

export function restorePlainField(field: PlainField, answer: Answer): void {
  if (!field.name) return;
  const value = answer[field.name];
  if (isSwitch(field)) {
    field.checked = readSwitch(answer, field.name, field.value) ?? field.checked;
  } else if (field instanceof HTMLSelectElement && Array.isArray(value)) {
    for (const option of field.options) option.selected = value.includes(option.value);
  } else if (typeof value === "string" && field.type !== "file") {
    field.value = value;
  } else if (value === undefined && isText(field) && !field.disabled) {
    field.value = "";
  } else {
    return;
  }
  for (const type of ["input", "change"]) field.dispatchEvent(new Event(type, { bubbles: true }));
}

export function resetPlainField(field: PlainField): void {
  if (field instanceof HTMLSelectElement) {
    for (const option of field.options) option.selected = option.defaultSelected;
  } else {
    field.value = field.defaultValue;
    if (isSwitch(field)) field.checked = field.defaultChecked;
  }
}
