// Reads lines of {answer, wanted}, an answer in WeChat's cipher and for whom it has to be, and prints for each what
// the library finds wrong with it, or null.
import { createInterface } from "node:readline";
import { problemWith } from "./wechat.mjs";

for await (const line of createInterface({ input: process.stdin })) {
  const { answer, wanted } = JSON.parse(line);
  let problem;
  try {
    problem = problemWith(answer, wanted);
  } catch (error) {
    problem = `${error.message}: ${answer.slice(0, 200)}`;
  }
  console.log(JSON.stringify(problem ?? null));
}
