// A member's side of a job: attaches to the host, runs the role and answers with what it returns. The same on every platform.
import { attachHost } from "bpfmap";
import { Random } from "bpfmap/testing";

/** The message of an error with its stack, and its causes. */
export function describeError(error) {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by ${describeError(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

/**
 * @param message of Team.start
 * @param load imports a job by its name
 * @param post answers the coordinator
 */
export async function runMember(message, load, post) {
  try {
    const { role, index, seed, control, args } = message;
    const module = await load(message.job);
    const host = attachHost(message.handle, module.attachOptions?.(control));
    post({ ready: host.cpu });
    const done = await module[role]({ host, index, seed, random: new Random(seed), control }, args);
    host.detach();
    post({ done });
  } catch (error) {
    post({ error: describeError(error) });
  }
}
