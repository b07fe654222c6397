const answer = await fetch('healthz');
const { reason } = await answer.json();
document.querySelector('#health').textContent = answer.ok ? 'All is well.' : reason;
document.querySelector('main').classList.toggle('is-well', answer.ok);
