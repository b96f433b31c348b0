// Words for what is sent: ways, states, recipients.

export { CHANNEL } from "./tables.js";
export const STATE_OF = { queued: ["待发", "queued"], sent: ["已发", "sent"], accepted: ["运营商已收", "accepted"], delivered: ["已送达", "delivered"], playing: ["正在播", "playing"], played: ["已播出", "played"], answered: ["已叫应", "answered"], failed: ["失败", "failed"], expired: ["过期", "expired"], superseded: ["已被新版取代", "superseded"] };
export const ROLE = { responsible: ["责任人", "responsible"], residents: ["居民", "residents"], observer: ["观察员", "observer"], organisation: ["单位", "organisation"], officer: ["值班人员", "officer"], node: ["大喇叭", "loudspeaker"], "": ["系统", "system"] };
// who is told of what: a role, a category of residents, or who is responsible downstream
export const KIND = { ...ROLE, resident: ["居民", "residents"], school: ["学校", "school"], care_home: ["养老机构", "care home"], camp: ["营地", "camp"], mine: ["矿山", "mine"], construction: ["工地", "construction"], tourist: ["游客", "tourists"], downstream: ["下游责任人", "responsible downstream"] };
