// <script src="…/static/js/ansim.js"></script>
document.querySelector('#verify').addEventListener('click', () => {
  const start = () => fetch('/your/start', { method: 'POST' }).then((answer) => answer.json()).then(({ window_url }) => window_url);
  ansim.verify(start, ({ closed }) => closed || location.assign('/your/result')); // your server asks the API there
});
