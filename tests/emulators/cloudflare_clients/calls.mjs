// A list that comes in pages, whole.
export async function all(list) {
  const items = [];
  for await (const item of list) items.push(item);
  return items;
}

// The error's status and codes, where a call is refused.
export async function refusal(call) {
  try {
    await call;
  } catch (error) {
    const errors = error.errors ?? [];
    return { status: error.status, codes: errors.flatMap((e) => [e.code, ...(e.error_chain ?? []).map((c) => c.code)]) };
  }
  return null;
}
