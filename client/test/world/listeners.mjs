// A page's life has nine listeners of the window on its signal, and each request under way one more. Node calls eleven a
// leak. Here more than thirty are one, and fail the test.

import { setMaxListeners } from "node:events";

setMaxListeners(30);
process.on("warning", (warning) => {
  if (warning.name === "MaxListenersExceededWarning") throw warning;
});
