/** `dumpsys`: of each service the lines that programs look for, in the words of Android 14. */
import type { Command } from "../shell-stub.ts";
import type { ProgramContext, Programs } from "./context.ts";
import { packageDump } from "./package-manager.ts";

export function dumpsysPrograms(context: ProgramContext): Programs {
  const { phone } = context;
  const record = () => {
    const { package: name, activity } = phone.foreground;
    return `${name}/${activity}`;
  };
  const whole = () => {
    const { package: name, activity } = phone.foreground;
    return `${name}/${activity.startsWith(".") ? name + activity : activity}`;
  };
  const services: Readonly<Record<string, (args: readonly string[]) => string>> = {
    input_method: () =>
      [
        "Current Input Method Manager state:\n",
        "  mCurMethodId=com.google.android.inputmethod.latin/com.android.inputmethod.latin.LatinIME\n",
        `  mShowRequested=${phone.keyboard} mShowExplicitlyRequested=${phone.keyboard} mShowForced=false mInputShown=${phone.keyboard}\n`,
        `  mInteractive=${phone.awake} mIsInputViewShown=${phone.keyboard}\n`,
      ].join(""),
    window: () =>
      [
        "WINDOW MANAGER WINDOWS (dumpsys window windows)\n",
        `  mCurrentFocus=Window{1a2b3c4 u0 ${whole()}}\n`,
        `  mFocusedApp=ActivityRecord{5d6e7f8 u0 ${record()} t12}\n`,
        `  init=${phone.physical.width}x${phone.physical.height} ${phone.physical.density}dpi cur=${phone.size.width}x${phone.size.height}\n`,
        `  mCurrentRotation=ROTATION_${phone.rotation * 90}\n  mAwake=${phone.awake}\n`,
        `    mDreamingLockscreen=false mShowingLockscreen=false\n`,
      ].join(""),
    activity: ([what]) =>
      what === "top"
        ? `TASK ${phone.foreground.package} id=12 userId=0\n  ACTIVITY ${record()} 5d6e7f8 pid=4321\n`
        : [
            "ACTIVITY MANAGER ACTIVITIES (dumpsys activity activities)\n",
            `  topResumedActivity=ActivityRecord{5d6e7f8 u0 ${record()} t12}\n`,
            `  ResumedActivity: ActivityRecord{5d6e7f8 u0 ${record()} t12}\n`,
          ].join(""),
    display: () =>
      [
        "DISPLAY MANAGER (dumpsys display)\n",
        `  mScreenState=${phone.awake ? "ON" : "OFF"}\n`,
        `  mCurrentOrientation=${phone.rotation}\n`,
        `    mBaseDisplayInfo=DisplayInfo{"Built-in Screen", real ${phone.size.width} x ${phone.size.height}, density ${phone.density}}\n`,
      ].join(""),
    power: () =>
      `POWER MANAGER (dumpsys power)\n  mWakefulness=${phone.awake ? "Awake" : "Asleep"}\nDisplay Power: state=${phone.awake ? "ON" : "OFF"}\n`,
    battery: () =>
      "Current Battery Service state:\n  AC powered: false\n  USB powered: true\n  status: 2\n  health: 2\n  present: true\n  level: 87\n  scale: 100\n  temperature: 280\n",
    input: () => `INPUT MANAGER (dumpsys input)\n    SurfaceOrientation: ${phone.rotation}\n`,
    package: ([name = ""]) => packageDump(context, name),
    audio: () => `- STREAM_MUSIC:\n   Muted: false\n   Min: 0\n   Max: 25\n   streamVolume:${phone.volume}\n`,
    location: () =>
      `Location Manager State:\n  last location=${phone.location === undefined ? "null" : `Location[gps ${phone.location.latitude},${phone.location.longitude}]`}\n`,
  };
  const dumpsys: Command = (io) => {
    const [name = "", ...args] = io.args.filter((arg) => !/^-/.test(arg));
    const service = services[name];
    if (service === undefined) {
      io.err(`Can't find service: ${name}\n`);
      return 0;
    }
    io.out(service(args));
    return 0;
  };
  return { dumpsys };
}
