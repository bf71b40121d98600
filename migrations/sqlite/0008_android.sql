ALTER TABLE `phones` ADD `model` text;--> statement-breakpoint
ALTER TABLE `phones` ADD `screen_width` integer;--> statement-breakpoint
ALTER TABLE `phones` ADD `screen_height` integer;--> statement-breakpoint
ALTER TABLE `phones` ADD `unreachable_since` integer;