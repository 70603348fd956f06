// The alarm tone. Browsers refuse sound before a gesture, so the state is shown and never guessed: 'off' means the
// operator hears nothing and the top bar says so in amber.

/** @type {AudioContext | null} */
let context = null;
/** @type {number | undefined} */
let timer;
let wanted = true;

/** @returns {'on' | 'off' | 'muted'} */
export function soundState() {
  if (!wanted) return 'muted';
  return context?.state === 'running' ? 'on' : 'off';
}

/** Call from a gesture: opens the gate. Resolves with the state after. */
export async function openSound() {
  wanted = true;
  context ??= new AudioContext();
  if (context.state !== 'running') await context.resume();
  return soundState();
}

export function muteSound() {
  wanted = false;
  stopTone();
}

function beep() {
  if (!context || context.state !== 'running') return;
  const at = context.currentTime;
  for (const [delay, hz] of [
    [0, 880],
    [0.22, 660],
  ]) {
    const tone = context.createOscillator();
    const gain = context.createGain();
    tone.type = 'triangle';
    tone.frequency.value = hz;
    gain.gain.setValueAtTime(0, at + delay);
    gain.gain.linearRampToValueAtTime(0.22, at + delay + 0.02);
    gain.gain.linearRampToValueAtTime(0, at + delay + 0.2);
    tone.connect(gain).connect(context.destination);
    tone.start(at + delay);
    tone.stop(at + delay + 0.22);
  }
}

/** Sounds at once and then every 1.6 s until {@link stopTone}. */
export function startTone() {
  if (timer !== undefined || !wanted) return;
  beep();
  timer = window.setInterval(beep, 1600);
}

export function stopTone() {
  if (timer !== undefined) window.clearInterval(timer);
  timer = undefined;
}
