// Runs the script of the home page in two tabs of one browser: a document each, one cookie jar for both.
"use strict";
const home = process.argv[2];
const jar = {};
const sessions = [];  // of the replies, in order
let isGone = false;  // the session of the next call

async function fetchWithCookies(path, options) {
  const cookie = Object.entries(jar).map((pair) => pair.join("=")).join("; ");
  const headers = { ...options.headers, Cookie: cookie, ...(isGone && { "X-Session-ID": "gone" }) };
  isGone = false;
  const reply = await fetch(new URL(path, home), { ...options, headers });
  for (const line of reply.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
    jar[name] = value;
  }
  sessions.push(reply.headers.get("X-Session-ID"));
  return reply;
}

function tab(script, seed) {
  const elements = {};
  const element = (id) => elements[id] ??= {
    value: "", textContent: "", on: {}, addEventListener(kind, handler) { this.on[kind] = handler; },
  };
  element("task").value = "triage";
  element("seed").value = seed;
  const document = { getElementById: element, querySelectorAll: () => [] };
  new Function("document", "fetch", script)(document, fetchWithCookies);
  return element;
}

async function until(isSo) {
  for (let left = 1000; left && !isSo(); left--) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function play(element, command) {
  element("command").value = command;
  element("act").on.submit({ preventDefault() {} });
  await until(() => element("command").value === "");
}

async function open(element) {
  element("log").textContent = "";
  element("start").on.submit({ preventDefault() {} });
  await until(() => element("log").textContent !== "");
}

async function main() {
  const page = await (await fetch(home)).text();
  const script = /<script>([^]*)<\/script>/.exec(page)[1];
  const one = tab(script, 1);
  await until(() => sessions.length === 1 && one("log").textContent !== "");
  const other = tab(script, 2);
  await until(() => sessions.length === 2 && other("log").textContent !== "");
  await play(one, "echo first");
  await play(other, "echo second");
  await play(one, "echo third");
  const logs = [one("log").textContent, other("log").textContent];
  await open(one);
  isGone = true;
  await open(other);
  console.log(JSON.stringify({ sessions, logs }));
}

main();
