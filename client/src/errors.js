export class Failed extends Error {
  name = "Failed";
  /** @param {number} status @param {string} message @param {string} [code] */
  constructor(status, message, code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export class SignedOut extends Error {
  name = "SignedOut";
  /** @param {import("./types.js").Reason} reason */
  constructor(reason) {
    super("signed out");
    this.reason = reason;
  }
}
