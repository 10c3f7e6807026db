"use strict";
// Responses contain objects above this score, so that the slider needs no new request.
const LEAST = 0.05;
const byId = (id) => document.getElementById(id);
const canvas = byId("canvas"), pen = canvas.getContext("2d"), slider = byId("threshold");
let picture = null, answer = null, stream = null, asked = 0;

// One colour per class, distinct from its neighbours (golden angle).
const colour = (label) => `hsl(${(label * 137.508) % 360} 85% 34%)`;
const name = (found) => found.category ?? `class ${found.label}`;
const visible = () => answer.results.filter((found) => found.score > Number(slider.value));

function headers(more) {
  const key = byId("key").value;
  return key ? { ...more, "X-API-Key": key } : more;
}

function draw() {
  if (!picture) return;
  canvas.width = picture.width;
  canvas.height = picture.height;
  pen.drawImage(picture, 0, 0);
  if (!answer) return;
  const line = Math.max(2, Math.round(Math.min(canvas.width, canvas.height) / 200));
  const size = Math.max(12, Math.round(Math.min(canvas.width, canvas.height) / 32));
  pen.lineWidth = line;
  pen.font = `600 ${size}px system-ui, sans-serif`;
  // Labels after all boxes, so that no line crosses a label; the highest score on top.
  for (const found of visible().reverse()) {
    const [left, top, right, bottom] = found.boxes;
    pen.strokeStyle = colour(found.label);
    pen.strokeRect(left, top, right - left, bottom - top);
  }
  for (const found of visible().reverse()) {
    const [left, top] = found.boxes;
    pen.fillStyle = colour(found.label);
    const text = `${name(found)} ${found.score.toFixed(2)}`;
    const width = pen.measureText(text).width + size * 0.6, height = size * 1.4;
    const x = Math.max(0, Math.min(left, canvas.width - width)), y = top >= height ? top - height : Math.max(0, top);
    pen.fillRect(x, y, width, height);
    pen.fillStyle = "#fff";
    pen.fillText(text, x + size * 0.3, y + size * 1.05);
  }
}

function list() {
  const rows = byId("found").tBodies[0];
  rows.replaceChildren();
  const found = visible();
  for (const each of found) {
    const row = rows.insertRow();
    const cell = row.insertCell();
    const swatch = document.createElement("span");
    swatch.className = "swatch";
    swatch.style.setProperty("background", colour(each.label));
    cell.append(swatch, name(each));
    row.insertCell().textContent = each.score.toFixed(3);
  }
  byId("count").textContent =
    found.length === 0 ? "Nothing above the threshold" : found.length === 1 ? "1 object" : `${found.length} objects`;
  byId("found").hidden = false;
  canvas.setAttribute("aria-label", `The image with ${byId("count").textContent}: ${found.map(name).join(", ")}`);
}

function facts(milliseconds) {
  const words = { yes: "yes, its results were compared with a reference", no: "NO: its results are wrong",
                  never: "never (apus verify)" };
  const times = ["queue", "decode", "preprocess", "inference", "postprocess"]
    .map((stage) => `${stage} ${answer.timings_ms[stage].toFixed(1)}`).join(", ");
  const pairs = [
    ["model", answer.model], ["device", `${answer.device}${answer.precision ? `, ${answer.precision}` : ""}`],
    ["verified", words[answer.verified]], ["times (ms)", times], ["round trip", `${milliseconds.toFixed(0)} ms`],
  ];
  if (answer.warning) pairs.push(["warning", answer.warning]);
  const box = byId("facts");
  box.replaceChildren();
  for (const [term, text] of pairs) {
    const dt = document.createElement("dt"), dd = document.createElement("dd");
    dt.textContent = term;
    dd.textContent = text;
    box.append(dt, dd);
  }
  box.hidden = false;
}

function fail(text) {
  byId("error").textContent = text;
  byId("error").hidden = !text;
}

async function work(blob) {
  fail("");
  const turn = ++asked;
  let image;
  try {
    image = await createImageBitmap(blob);
  } catch {
    fail("The browser cannot show this file as an image.");
    return;
  }
  picture = image;
  answer = null;
  byId("found").hidden = byId("facts").hidden = true;
  byId("stage").hidden = false;
  canvas.hidden = false;
  draw();
  const query = new URLSearchParams({ threshold: LEAST });
  if (byId("model").value) query.set("model", byId("model").value);
  const start = performance.now();
  try {
    const response = await fetch(`/predict?${query}`, {
      method: "POST", body: blob, headers: headers({ "Content-Type": blob.type || "application/octet-stream" }),
    });
    const body = await response.json();
    if (turn !== asked) return;  // a newer image is being processed
    if (response.status === 401) byId("keyrow").hidden = false;
    if (!response.ok) {
      fail([body.detail, body.remedy].filter(Boolean).join(". "));
      return;
    }
    answer = body;
    draw();
    list();
    facts(performance.now() - start);
  } catch (error) {
    if (turn === asked) fail(`The server does not respond (${error.message}).`);
  }
}

async function camera() {
  if (stream) return stop();
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch (error) {
    fail(`The camera cannot be used (${error.message}).`);
    return;
  }
  const video = byId("video");
  video.srcObject = stream;
  await video.play();
  byId("stage").hidden = video.hidden = byId("shoot").hidden = false;
  canvas.hidden = true;
  byId("camera").textContent = "Stop the camera";
  byId("shoot").focus();
}

function stop() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  byId("video").hidden = byId("shoot").hidden = true;
  byId("camera").textContent = "Use the camera";
}

function shoot() {
  const video = byId("video"), still = document.createElement("canvas");
  still.width = video.videoWidth;
  still.height = video.videoHeight;
  still.getContext("2d").drawImage(video, 0, 0);
  stop();
  still.toBlob(work, "image/jpeg", 0.92);
}

async function ask() {
  const state = byId("state");
  try {
    const response = await fetch("/status", { headers: headers({}) });
    if (response.status === 401) {
      byId("keyrow").hidden = false;
      state.textContent = "This server requires an API key.";
      return;
    }
    const status = await response.json();
    state.textContent = status.models
      .map((model) => model.device
        ? `${model.name}: ${model.state} on ${model.device_name ?? model.device}, ${model.precision ?? "own types"}, verified: ${model.verified}`
        : `${model.name}: ${model.state}`)
      .join(" · ");
    const select = byId("model");
    select.replaceChildren(...status.models.map((model) => new Option(model.name, model.name)));
    byId("modelrow").hidden = status.models.length < 2;
    if (status.models.some((model) => model.state === "loading")) setTimeout(ask, 2000);
  } catch (error) {
    state.textContent = `The server does not respond (${error.message}).`;
  }
}

byId("file").addEventListener("change", (event) => event.target.files[0] && work(event.target.files[0]));
byId("camera").addEventListener("click", camera);
byId("shoot").addEventListener("click", shoot);
byId("keyrow").addEventListener("submit", (event) => event.preventDefault());
byId("key").addEventListener("change", ask);
slider.addEventListener("input", () => {
  byId("shown").textContent = Number(slider.value).toFixed(2);
  if (answer) { draw(); list(); }
});
addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files].find((each) => each.type.startsWith("image/"));
  if (file) work(file);
});
const drop = byId("drop");
for (const kind of ["dragenter", "dragover"]) {
  addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
}
addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.classList.remove("over"); });
addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const file = event.dataTransfer.files[0];
  if (file) work(file);
});
if (!navigator.mediaDevices?.getUserMedia) byId("camera").hidden = true;  // available only over HTTPS and on localhost
ask();
