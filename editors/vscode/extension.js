// Starts `circ lsp` and lets VS Code talk to it. Colours need none of this.

"use strict";

const vscode = require("vscode");

let client;

/** The library that speaks the protocol; undefined where `npm install` was not run. */
function library() {
  try {
    return require("vscode-languageclient/node");
  } catch {
    return undefined;
  }
}

async function activate(context) {
  const found = library();
  if (found === undefined) {
    vscode.window.showWarningMessage("Circ: run `npm install` in the extension's folder for errors as you type.");
    return;
  }
  // A workspace that is not trusted may not say which program is run: the setting is the machine's.
  const command = vscode.workspace.getConfiguration("circ").get("command", "circ");
  const server = { command, args: ["lsp"] };
  const options = { documentSelector: [{ language: "circ", scheme: "file" }, { language: "circ", scheme: "untitled" }] };
  client = new found.LanguageClient("circ", "Circ", server, options);
  context.subscriptions.push(client);
  try {
    await client.start();
  } catch (error) {
    vscode.window.showErrorMessage(`Circ: \`${command} lsp\` does not start (${error.message}); see the setting circ.command.`);
  }
}

function deactivate() {
  return client === undefined ? undefined : client.stop();
}

module.exports = { activate, deactivate };
