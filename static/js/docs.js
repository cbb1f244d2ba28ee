// A copy button on every block of code. Without this script the blocks can be selected as ever.
const words = { ko: ["복사", "복사했어요"], en: ["Copy", "Copied"] }[document.documentElement.lang] ?? ["Copy", "Copied"];

for (const block of navigator.clipboard ? document.querySelectorAll(".code-block") : []) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = words[0];
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.querySelector("code").textContent);
    button.textContent = words[1];
    setTimeout(() => { button.textContent = words[0]; }, 2000);
  });
  block.querySelector("figcaption").append(button);
}
