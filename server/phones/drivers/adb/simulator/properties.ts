/** What `getprop` and `settings` say: a Pixel 7 with Android 14, as far as anybody asks. */

export function androidProperties(serial: string, density: number): Map<string, string> {
  return new Map([
    ["dalvik.vm.heapsize", "512m"],
    ["gsm.version.baseband", "g5300q-230626"],
    ["init.svc.adbd", "running"],
    ["persist.sys.locale", "en-US"],
    ["persist.sys.timezone", "UTC"],
    ["ro.boot.serialno", serial],
    ["ro.build.characteristics", "nosdcard"],
    ["ro.build.fingerprint", "google/panther/panther:14/UQ1A.240205.002/11224170:user/release-keys"],
    ["ro.build.id", "UQ1A.240205.002"],
    ["ro.build.type", "user"],
    ["ro.build.version.codename", "REL"],
    ["ro.build.version.release", "14"],
    ["ro.build.version.sdk", "34"],
    ["ro.build.version.security_patch", "2024-02-05"],
    ["ro.debuggable", "0"],
    ["ro.kernel.qemu", "0"],
    ["ro.product.brand", "google"],
    ["ro.product.cpu.abi", "arm64-v8a"],
    ["ro.product.cpu.abilist", "arm64-v8a"],
    ["ro.product.device", "panther"],
    ["ro.product.manufacturer", "Google"],
    ["ro.product.model", "Pixel 7"],
    ["ro.product.name", "panther"],
    ["ro.serialno", serial],
    ["ro.sf.lcd_density", String(density)],
    ["sys.boot_completed", "1"],
  ]);
}

export function androidSettings() {
  return {
    system: new Map([
      ["accelerometer_rotation", "0"],
      ["user_rotation", "0"],
      ["screen_off_timeout", "60000"],
      ["font_scale", "1.0"],
    ]),
    secure: new Map([
      ["default_input_method", "com.google.android.inputmethod.latin/com.android.inputmethod.latin.LatinIME"],
      ["location_mode", "3"],
      ["android_id", "5f3a9c1b2d4e6f70"],
    ]),
    global: new Map([
      ["airplane_mode_on", "0"],
      ["adb_enabled", "1"],
      ["window_animation_scale", "1.0"],
      ["transition_animation_scale", "1.0"],
      ["animator_duration_scale", "1.0"],
    ]),
  };
}
