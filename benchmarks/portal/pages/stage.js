// What all ways to paint have in common: the view, the photograph and where it lies, and the brush.
"use strict";

const VIEW = { width: 1200, height: 800 };
const IMAGE = { width: 4000, height: 3000 };
const RADIUS = 40; // pixels of the image
const COLOR = [44, 160, 44];
const OPACITY = 0.5;

const fitting = Math.min(VIEW.width / IMAGE.width, VIEW.height / IMAGE.height);
const scale = new URLSearchParams(location.search).get("zoom") === "1" ? 1 : fitting;
const left = (VIEW.width - IMAGE.width * scale) / 2;
const top_ = (VIEW.height - IMAGE.height * scale) / 2;

document.body.style.margin = "0";
const view = document.createElement("div");
view.className = "view";
view.style.cssText = `position: relative; overflow: hidden; width: ${VIEW.width}px; height: ${VIEW.height}px; touch-action: none;`;
document.body.append(view);

async function loadPhoto() {
  const photo = new Image();
  photo.src = "/photo.jpg";
  photo.style.cssText = `position: absolute; left: 0; top: 0; transform-origin: 0 0; transform: translate(${left}px, ${top_}px) scale(${scale}); pointer-events: none;`;
  await photo.decode();
  return photo;
}

/** The image's pixel under a pointer. */
function locate(event) {
  return { x: (event.clientX - left) / scale, y: (event.clientY - top_) / scale };
}
