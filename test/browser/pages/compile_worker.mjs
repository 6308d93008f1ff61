// Compiles the core and hands the module over. A worker has the Content-Security-Policy of its own response.
self.onmessage = async ({ data: url }) => {
  try {
    self.postMessage({ module: await WebAssembly.compileStreaming(fetch(url)) });
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};
