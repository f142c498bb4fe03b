// A visitor asks for suggestions, presses two of them and has them made.
"use strict";
const { play, scriptOf, tab, until } = require("./page.js");
const home = process.argv[2];

async function main() {
  const steps = [];
  const element = tab(await scriptOf(home), 7, async (path, options) => {
    if (path === "step") steps.push(JSON.parse(options.body).message);
    return fetch(new URL(path, home), options);
  });
  const log = element("log");
  await until(() => log.textContent !== "");
  await play(element, "suggest M1");
  const [first, second] = element("offers").children;
  first.on.click();
  second.on.click();
  await play(element, element("command").value);
  element("seed").value = "9007199254740993";
  element("start").on.submit({ preventDefault() {} });
  await until(() => element("status").textContent.startsWith("A seed"));
  console.log(JSON.stringify({
    offered: [first.textContent, second.textContent], steps, log: log.textContent, status: element("status").textContent,
  }));
}

main();
