export const LONGEST = 2 ** 31 - 1; // Of a timer: a longer one is none at all.

export const noop = () => {};

/** Settles as `promise` does, or as soon as a signal aborts. */
export function until(promise, ...signals) {
  let stop;
  return new Promise((done, fail) => {
    stop = () => fail(signals.find((signal) => signal.aborted)?.reason);
    if (signals.some((signal) => signal.aborted)) stop();
    for (const signal of signals) signal.addEventListener("abort", stop);
    promise.then(done, fail);
  }).finally(() => {
    for (const signal of signals) signal.removeEventListener("abort", stop);
  });
}

export function sleep(here, ms, ...signals) {
  let timer;
  const passed = new Promise((done) => (timer = here.setTimeout(done, Math.min(ms, LONGEST))));
  return until(passed, ...signals).finally(() => here.clearTimeout(timer));
}

/**
 * Runs `work` while no other tab does. A suspended tab may hold the lock for ever, and a browser may refuse it. Then
 * the work goes on without it, and the server copes. A lock that comes late is given back.
 */
export const alone = (here, name, limit, life, work) =>
  new Promise((done, fail) => {
    const wait = new here.AbortController();
    let begun = false;
    const run = () => {
      if (begun) return;
      begun = true;
      wait.abort();
      const end = work();
      end.then(done, fail);
      return end.catch(noop);
    };
    sleep(here, limit, wait.signal, life).then(run, noop);
    try {
      here.navigator.locks.request(name, { signal: wait.signal }, run).catch(run);
    } catch {
      run();
    }
  });
