//! Quartiles, watched and rewatched percents.

use crate::timeline;

timeline!(
    a_part_watched_twice_counts_once_on_the_watched_ladder,
    "0    source /film.mp4
     0    load 20
     0    play
     10   seek 0 0
     20   seek 0 0
     24   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 quartile watched 25 @5
   5.000 quartile position 25 @5
  10.000 quartile watched 50 @10
  10.000 quartile position 50 @10
  24.000 stop closed
slice 0 at 0.000 for 24.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=24000 content_ms=24000 ladder_plays=1 startup_ms=1 reached_25=1 reached_50=1 position_25=1 position_50=1 watched=50% rewatched=50% active=1 stop_reason=closed
"
);

timeline!(
    /// The position must play for a second before it counts; what was jumped over was never watched.
    a_look_at_the_end_is_no_quartile,
    "0    source /film.mp4
     0    load 100
     0    play
     2    seek 90 0.2
     2.9  seek 30 0.2
     5    leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   4.100 quartile position 25 @31
   5.000 stop closed
slice 0 at 0.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=4400 content_ms=4400 ladder_plays=1 startup_ms=1 position_25=1 watched=5% active=1 stop_reason=closed
"
);

timeline!(
    a_duration_that_becomes_known_late_marks_what_was_watched,
    "0    source /film.mp4
     0    load unknown
     0    play
     10   load 20
     12   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  10.250 quartile watched 25 @10.25
  10.250 quartile position 25 @10.25
  10.250 quartile watched 50 @10.25
  10.250 quartile position 50 @10.25
  12.000 stop closed
slice 0 at 0.000 for 12.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=12000 content_ms=12000 ladder_plays=1 startup_ms=1 reached_25=1 reached_50=1 position_25=1 position_50=1 watched=60% active=1 stop_reason=closed
"
);

timeline!(
    a_loop_counts_each_quartile_once,
    "0    source /film.mp4
     0    load 8
     0    loop
     0    play
     20   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   2.000 quartile watched 25 @2
   2.000 quartile position 25 @2
   4.000 quartile watched 50 @4
   4.000 quartile position 50 @4
   6.000 quartile watched 75 @6
   6.000 quartile position 75 @6
  20.000 stop closed
slice 0 at 0.000 for 20.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=19500 content_ms=19500 ladder_plays=1 startup_ms=1 reached_25=1 reached_50=1 reached_75=1 position_25=1 position_50=1 position_75=1 watched=97% rewatched=97% active=1 stop_reason=closed
"
);

timeline!(
    seeking_over_the_middle_and_playing_to_the_end_is_not_all_of_it,
    "0    source /film.mp4
     0    load 20
     0    play
     5    seek 15 0
     15   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 quartile watched 25 @5
   5.000 quartile position 25 @5
   6.000 quartile position 50 @16
   6.000 quartile position 75 @16
  10.000 quartile watched 50 @20
  10.000 quartile position 100 @20
  10.000 end @20
  15.000 stop ended
slice 0 at 0.000 for 15.000: views=1 impressions=1 play_requests=1 plays=1 ends=1 stops=1 played_ms=10000 content_ms=10000 ladder_plays=1 startup_ms=1 reached_25=1 reached_50=1 position_25=1 position_50=1 position_75=1 position_100=1 watched=50% active=1 stop_reason=ended
"
);
