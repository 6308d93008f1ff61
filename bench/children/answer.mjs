/**
 * The child's side of `run_child.mjs`: does the work for the task that comes and answers with its result, or with the message of
 * its error.
 *
 * @param {(task: any, progress: (text: string) => void) => object | Promise<object>} work
 */
export function answer(work) {
  process.once("message", async (task) => {
    let reply;
    try {
      reply = { result: await work(task, (text) => process.send({ progress: text })) };
    } catch (error) {
      reply = { error: error.message };
    }
    process.send(reply, () => process.disconnect());
  });
}
