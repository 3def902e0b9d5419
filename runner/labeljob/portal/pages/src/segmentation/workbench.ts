/** The painting, the tools at hand and how it is looked at: what the editor's parts share. */
import type { Size } from "../elements/geometry";
import type { Json } from "../shared/messages";
import { toChannels } from "./colors";
import type { Rect } from "./geometry";
import { Painting } from "./painting";
import type { Photo } from "./photo";
import type { Color } from "./png";
import type { Surface } from "./surface";
import type { Action, Pixels, Tool, ToolHost } from "./tool";
import { makeTools } from "./tools";

const PREVIEW_OPACITY = 0.85;
const UNPAINTED: Color = "#ffffff";

/** How the mask and the photograph are shown. */
export class Looks {
  /** Of all labels, 0 to 1. */
  opacity = 0.55;
  brightness = 1;
  contrast = 1;
  isHidden = false;
  /** Of single labels, by name, 0 to 1, on top of that of all. */
  readonly opacities = new Map<string, number>();
  /** Labels that are not shown. */
  readonly hidden = new Set<string>();
}

export class Workbench implements ToolHost {
  readonly tools: Tool[];
  looks = new Looks();
  tool: Tool;
  /** The class to paint; 0 is BACKGROUND. */
  cls = 1;
  src = "";
  /** What was said last. */
  words = "";
  /** Whether painted pixels stay as they are, but for the eraser. */
  onlyBackground = false;
  private photo: Photo | null = null;
  private canvas: Painting | null = null;
  private labels: readonly string[] = [];
  private colors: readonly Color[] = [];
  private held: { key: string; before: Tool; isUsed: boolean } | null = null; // a tool, by its key

  /**
   * @param onChange What is shown beside the image may have to be rendered again.
   * @param onStep The painting has another step, or one less.
   */
  constructor(
    private readonly surface: () => Surface | null,
    private readonly onChange: () => void,
    private readonly onStep: () => void,
  ) {
    this.tools = makeTools(this);
    this.tool = this.tools[0]!;
  }

  get isOpen(): boolean {
    return this.canvas !== null;
  }

  get painting(): Painting {
    return this.canvas!;
  }

  get size(): Size {
    return this.photo!.size;
  }

  get scale(): number {
    return this.surface()?.scale ?? 1;
  }

  open(photo: Photo, painting: Painting): void {
    if (this.photo !== photo) this.photo?.close();
    this.photo = photo;
    this.canvas = painting;
    painting.onlyBackground = this.onlyBackground;
    this.surface()?.open(photo, painting);
    for (const tool of this.tools) tool.open?.();
    this.tool.start?.();
    this.surface()?.use(this.tool);
    this.applyLooks();
    this.onChange();
  }

  close(): void {
    this.tool.stop?.();
    this.surface()?.close();
    this.photo?.close();
    this.photo = null;
    this.canvas = null;
  }

  setLabels(labels: readonly string[], colors: readonly Color[]): void {
    this.labels = labels;
    this.colors = colors;
    this.cls = Math.min(this.cls, labels.length);
    this.applyLooks();
  }

  // --- steps -------------------------------------------------------------------------------------

  paint(action: Action): void {
    this.begin();
    this.draw(action);
    this.end();
  }

  begin(): void {
    if (this.held) this.held.isUsed = true;
    this.painting.begin();
  }

  draw(action: Action): void {
    this.showChange(action(this.painting));
  }

  end(): void {
    if (this.painting.end()) this.onStep();
    this.onChange();
  }

  abandon(): void {
    this.showChange(this.painting.cancel());
    this.onChange();
  }

  undo(): void {
    this.goBack(() => this.painting.undo());
  }

  redo(): void {
    this.goBack(() => this.painting.redo());
  }

  private goBack(action: () => Rect | null): void {
    if (!this.canvas || this.surface()?.isPressed) return;
    const rect = action();
    if (!rect) return;
    this.showChange(rect);
    this.onStep();
    this.onChange();
  }

  private showChange(rect: Rect | null): void {
    if (rect) this.surface()?.change(rect);
  }

  // --- tools and classes -------------------------------------------------------------------------

  use(tool: Tool): void {
    if (tool.absence !== undefined) this.say(`${tool.name}: ${tool.absence}`);
    if (this.tool === tool || tool.absence !== undefined || this.surface()?.isPressed) return;
    if (this.canvas) this.tool.stop?.();
    this.preview(null);
    this.say("");
    this.tool = tool;
    if (this.canvas) tool.start?.();
    this.surface()?.use(tool);
    this.onChange();
  }

  /** A tool's key goes down: it is used at least until the key goes up. */
  holdTool(tool: Tool): void {
    const before = this.tool;
    this.use(tool);
    if (this.tool !== before) this.held = { key: tool.key, before, isUsed: false };
  }

  /** A key goes up: if its tool was used meanwhile, the one before comes back. */
  releaseKey(key: string): void {
    if (this.held?.key === key) this.releaseHeld();
  }

  releaseHeld(): void {
    const { held } = this;
    this.held = null;
    if (held?.isUsed) this.use(held.before);
  }

  chooseClass(cls: number): void {
    if (cls < 0 || cls > this.labels.length) return;
    this.cls = cls;
    this.looks.hidden.delete(this.labels[cls - 1] ?? "");
    this.looks.isHidden = false;
    this.applyLooks();
    this.requestUpdate();
  }

  setOnlyBackground(isOn: boolean): void {
    this.onlyBackground = isOn;
    if (this.canvas) this.canvas.onlyBackground = isOn;
    this.onChange();
  }

  say(text: string): void {
    if (this.words === text) return;
    this.words = text;
    this.onChange();
  }

  preview(pixels: Pixels | null): void {
    this.surface()?.preview(pixels);
  }

  requestFrame(): void {
    this.surface()?.requestFrame();
  }

  /** Paint the shapes under way, before they would be lost; one may wait in a tool that is not chosen. */
  finish(): void {
    if (this.canvas) for (const tool of this.tools) tool.takeKey?.("Enter");
  }

  requestUpdate(): void {
    this.surface()?.requestFrame();
    this.onChange();
  }

  // --- looks -------------------------------------------------------------------------------------

  /** Show mask and photograph as `looks` says. */
  applyLooks(): void {
    const { looks, photo } = this;
    const surface = this.surface();
    if (!surface) return;
    const { mask } = surface;
    mask.looks.fill(0);
    this.labels.forEach((label, at) => {
      const isHidden = looks.isHidden || looks.hidden.has(label);
      const opacity = isHidden ? 0 : looks.opacity * (looks.opacities.get(label) ?? 1);
      mask.looks[at + 1] = toWord(this.colors[at]!, opacity);
    });
    mask.previewLook = toWord(this.colors[this.cls - 1] ?? UNPAINTED, PREVIEW_OPACITY);
    photo?.adjust(looks.brightness, looks.contrast);
    surface.change(null);
    this.onChange();
  }

  showLabel(label: string, isShown: boolean): void {
    const { hidden } = this.looks;
    if (this.looks.isHidden) for (const each of this.labels) hidden.add(each);
    this.looks.isHidden = false;
    if (isShown) hidden.delete(label);
    else hidden.add(label);
    this.applyLooks();
  }

  /** Hide all labels, or show them as before. */
  toggleLabels(): void {
    this.looks.isHidden = !this.looks.isHidden;
    this.applyLooks();
  }

  resetLooks(): void {
    this.looks = new Looks();
    this.applyLooks();
  }

  // --- what is kept from image to image ----------------------------------------------------------

  get memory(): Json {
    const { looks, tools, tool } = this;
    const memories = tools.flatMap((each) => (each.memory === undefined ? [] : [[each.id, each.memory] as const]));
    return {
      tool: tool.id,
      label: this.labels[this.cls - 1] ?? "",
      onlyBackground: this.onlyBackground,
      opacity: looks.opacity,
      opacities: Object.fromEntries(looks.opacities),
      brightness: looks.brightness,
      contrast: looks.contrast,
      look: (this.surface()?.kept ?? null) as Json,
      tools: Object.fromEntries(memories),
    };
  }

  set memory(memory: Json) {
    if (!isObject(memory)) return;
    const { looks } = this;
    const { tools } = memory;
    for (const tool of this.tools) {
      const kept = isObject(tools) ? tools[tool.id] : undefined;
      if (kept !== undefined) tool.memory = kept;
    }
    const tool = this.tools.find((each) => each.id === memory["tool"]);
    if (tool) this.use(tool);
    this.cls = this.labels.indexOf(String(memory["label"])) + 1 || this.cls;
    this.setOnlyBackground(memory["onlyBackground"] === true);
    looks.opacity = readNumber(memory["opacity"], 0, 1) ?? looks.opacity;
    looks.brightness = readNumber(memory["brightness"], 0, 4) ?? looks.brightness;
    looks.contrast = readNumber(memory["contrast"], 0, 4) ?? looks.contrast;
    for (const [label, value] of Object.entries(isObject(memory["opacities"]) ? memory["opacities"] : {})) {
      const opacity = readNumber(value, 0, 1);
      if (opacity !== undefined) looks.opacities.set(label, opacity);
    }
    const look = isObject(memory["look"]) ? memory["look"] : {};
    const [scale, x, y] = [readNumber(look["scale"], 0, 100), readNumber(look["x"], 0, 1), readNumber(look["y"], 0, 1)];
    const surface = this.surface();
    if (surface && scale && x !== undefined && y !== undefined) surface.kept = { scale, x, y };
    this.applyLooks();
  }
}

/** A color as canvases have it: red in the lowest byte, opacity in the highest. */
function toWord(color: Color, opacity: number): number {
  const [red, green, blue] = toChannels(color);
  return ((Math.round(opacity * 255) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

function isObject(value: Json | undefined): value is { [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readNumber(value: Json | undefined, low: number, high: number): number | undefined {
  return typeof value === "number" && value >= low && value <= high ? value : undefined;
}
