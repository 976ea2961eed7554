export * from "../../../../client/types/index.js";
