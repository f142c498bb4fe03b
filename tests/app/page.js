// The home page's script, in a document that has just what it touches.
"use strict";

async function scriptOf(home) {
  return /<script>([^]*)<\/script>/.exec(await (await fetch(home)).text())[1];
}

function tab(script, seed, fetch) {
  const elements = {};
  const element = (id) => elements[id] ??= {
    value: "", textContent: "", on: {}, children: [],
    addEventListener(kind, handler) { this.on[kind] = handler; },
    replaceChildren(...children) { this.children = children; },
    remove() {},
  };
  let made = 0;
  element("task").value = "potency";
  element("seed").value = seed;
  const createElement = () => element(`made ${made++}`);
  const document = { getElementById: element, querySelectorAll: () => [], createElement };
  new Function("document", "fetch", script)(document, fetch);
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

module.exports = { open, play, scriptOf, tab, until };
