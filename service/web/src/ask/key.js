/** The caller's key, if the service asks for one: kept for this browser tab only. */

const PLACE = "gdssm.key";

export const key = {
  get: () => sessionStorage.getItem(PLACE),
  set: (value) => sessionStorage.setItem(PLACE, value),
};
