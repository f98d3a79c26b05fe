// How far a reader is with a lesson, kept in this browser; where it keeps nothing (private mode), until the page is left.
export const STEPS = ["asked", "predicted", "ran", "revealed"];

export class Progress {
  constructor(lesson) {
    this.key = `rte-learn-${lesson}`;
    this.kept = this.read();
  }

  get step() { return STEPS.includes(this.kept.step) ? this.kept.step : STEPS[0]; }
  get choice() { return this.kept.choice ?? null; }

  read() {
    try { return JSON.parse(localStorage.getItem(this.key)) ?? {}; } catch { return {}; }
  }

  keep(changes) {
    this.kept = { ...this.kept, ...changes };
    try { localStorage.setItem(this.key, JSON.stringify(this.kept)); } catch { /* private mode */ }
  }

  forget() {
    this.kept = {};
    try { localStorage.removeItem(this.key); } catch { /* private mode */ }
  }
}
