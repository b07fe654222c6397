/** What the environment says that it serves, shown on the page that it serves. */
const answer = await fetch('version');
const { artifact, config } = (await answer.json()) as { artifact: string; config: string };
const place = document.querySelector('#version');
if (place) place.textContent = `${artifact.slice(0, 12)}, configuration ${config.slice(0, 12)}`;
