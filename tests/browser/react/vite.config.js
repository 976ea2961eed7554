import { defineConfig } from "vite";

// JSX as React has it now, without a plugin.
export default defineConfig({ esbuild: { jsx: "automatic" }, build: { target: "es2022" } });
