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
   5.000 quartile ladder=watched percent=25 @5
   5.000 quartile ladder=position percent=25 @5
  10.000 quartile ladder=watched percent=50 @10
  10.000 quartile ladder=position percent=50 @10
  10.000 seek from_ms=10000 to_ms=0 took_ms=0 @10
  20.000 seek from_ms=10000 to_ms=0 took_ms=0 @10
  24.000 stop reason=closed
slice 0 at 0.000 for 24.000: views=1 impressions=1 play_requests=1 plays=1 seeks=2 stops=1 played_ms=24000 content_ms=24000 engaged_ms=24000 ladder_plays=1 played_ms_other=24000 startup_ms=1 reached_25=1 reached_50=1 position_25=1 position_50=1 watched=50% rewatched=50% active=1 stop_reason=closed
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
   2.000 seek from_ms=2000 to_ms=30000 took_ms=400 @2
   4.100 quartile ladder=position percent=25 @31
   5.000 stop reason=closed
slice 0 at 0.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 seeks=1 seek_ms=400 stops=1 played_ms=4400 content_ms=4400 engaged_ms=4400 ladder_plays=1 played_ms_other=4400 startup_ms=1 seek_max_ms=400 position_25=1 watched=5% active=1 stop_reason=closed
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
  10.250 quartile ladder=watched percent=25 @10.25
  10.250 quartile ladder=position percent=25 @10.25
  10.250 quartile ladder=watched percent=50 @10.25
  10.250 quartile ladder=position percent=50 @10.25
  12.000 stop reason=closed
slice 0 at 0.000 for 12.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=12000 content_ms=12000 engaged_ms=12000 ladder_plays=1 played_ms_other=12000 startup_ms=1 reached_25=1 reached_50=1 position_25=1 position_50=1 watched=60% active=1 stop_reason=closed
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
   2.000 quartile ladder=watched percent=25 @2
   2.000 quartile ladder=position percent=25 @2
   4.000 quartile ladder=watched percent=50 @4
   4.000 quartile ladder=position percent=50 @4
   6.000 quartile ladder=watched percent=75 @6
   6.000 quartile ladder=position percent=75 @6
   8.000 quartile ladder=watched percent=100 @8
   8.000 quartile ladder=position percent=100 @8
   8.000 end @8
   8.000 loop @8
  16.000 end @8
  16.000 loop @8
  20.000 stop reason=closed
slice 0 at 0.000 for 20.000: views=1 impressions=1 play_requests=1 plays=1 loops=2 ends=2 stops=1 played_ms=20000 content_ms=20000 engaged_ms=20000 ladder_plays=1 played_ms_other=20000 startup_ms=1 reached_25=1 reached_50=1 reached_75=1 reached_100=1 position_25=1 position_50=1 position_75=1 position_100=1 watched=100% rewatched=100% active=1 stop_reason=closed
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
   5.000 quartile ladder=watched percent=25 @5
   5.000 quartile ladder=position percent=25 @5
   5.000 seek from_ms=5000 to_ms=15000 took_ms=0 @5
   6.000 quartile ladder=position percent=50 @16
   6.000 quartile ladder=position percent=75 @16
  10.000 quartile ladder=watched percent=50 @20
  10.000 quartile ladder=position percent=100 @20
  10.000 end @20
  15.000 stop reason=ended
slice 0 at 0.000 for 15.000: views=1 impressions=1 play_requests=1 plays=1 seeks=1 ends=1 stops=1 played_ms=10000 content_ms=10000 engaged_ms=10000 ladder_plays=1 played_ms_other=10000 startup_ms=1 reached_25=1 reached_50=1 position_25=1 position_50=1 position_75=1 position_100=1 watched=50% active=1 stop_reason=ended
"
);

timeline!(
    a_replay_is_the_same_view,
    "0    source /film.mp4
     0    load 8
     0    play
     10   play
     20   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   2.000 quartile ladder=watched percent=25 @2
   2.000 quartile ladder=position percent=25 @2
   4.000 quartile ladder=watched percent=50 @4
   4.000 quartile ladder=position percent=50 @4
   6.000 quartile ladder=watched percent=75 @6
   6.000 quartile ladder=position percent=75 @6
   8.000 quartile ladder=watched percent=100 @8
   8.000 quartile ladder=position percent=100 @8
   8.000 end @8
  10.000 replay @0
  18.000 end @8
  20.000 stop reason=ended
slice 0 at 0.000 for 20.000: views=1 impressions=1 play_requests=1 plays=1 replays=1 ends=2 stops=1 played_ms=16000 content_ms=16000 engaged_ms=16000 ladder_plays=1 played_ms_other=16000 startup_ms=1 reached_25=1 reached_50=1 reached_75=1 reached_100=1 position_25=1 position_50=1 position_75=1 position_100=1 watched=100% rewatched=100% active=1 stop_reason=ended
"
);

timeline!(
    a_loop_that_the_viewer_pauses,
    "0    source /film.mp4
     0    load 4
     0    loop
     0    play
     6    pause
     9    leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   1.000 quartile ladder=watched percent=25 @1
   1.000 quartile ladder=position percent=25 @1
   2.000 quartile ladder=watched percent=50 @2
   2.000 quartile ladder=position percent=50 @2
   3.000 quartile ladder=watched percent=75 @3
   3.000 quartile ladder=position percent=75 @3
   4.000 quartile ladder=watched percent=100 @4
   4.000 quartile ladder=position percent=100 @4
   4.000 end @4
   4.000 loop @4
   6.000 pause @2
   9.000 stop reason=closed
slice 0 at 0.000 for 9.000: views=1 impressions=1 play_requests=1 plays=1 pauses=1 loops=1 ends=1 stops=1 played_ms=6000 content_ms=6000 paused_ms=3000 engaged_ms=6000 ladder_plays=1 played_ms_other=6000 startup_ms=1 reached_25=1 reached_50=1 reached_75=1 reached_100=1 position_25=1 position_50=1 position_75=1 position_100=1 watched=100% rewatched=50% active=1 stop_reason=closed
"
);

timeline!(
    a_film_of_two_seconds,
    "0    source /film.mp4
     0    load 2
     0    play
     5    leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   0.500 quartile ladder=watched percent=25 @0.5
   1.000 quartile ladder=position percent=25 @1
   1.000 quartile ladder=watched percent=50 @1
   1.000 quartile ladder=position percent=50 @1
   1.500 quartile ladder=watched percent=75 @1.5
   1.500 quartile ladder=position percent=75 @1.5
   2.000 quartile ladder=watched percent=100 @2
   2.000 quartile ladder=position percent=100 @2
   2.000 end @2
   5.000 stop reason=ended
slice 0 at 0.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 ends=1 stops=1 played_ms=2000 content_ms=2000 engaged_ms=2000 ladder_plays=1 played_ms_other=2000 startup_ms=1 reached_25=1 reached_50=1 reached_75=1 reached_100=1 position_25=1 position_50=1 position_75=1 position_100=1 watched=100% active=1 stop_reason=ended
"
);

timeline!(
    /// Nothing plays for a second, so that no position counts; it was watched all the same.
    a_film_of_half_a_second,
    "0    source /film.mp4
     0    load 0.5
     0    play
     5    leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   0.250 quartile ladder=watched percent=25 @0.25
   0.250 quartile ladder=watched percent=50 @0.25
   0.500 quartile ladder=watched percent=75 @0.5
   0.500 quartile ladder=watched percent=100 @0.5
   0.500 end @0.5
   5.000 stop reason=ended
slice 0 at 0.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 ends=1 stops=1 played_ms=500 content_ms=500 engaged_ms=500 ladder_plays=1 played_ms_other=500 startup_ms=1 reached_25=1 reached_50=1 reached_75=1 reached_100=1 watched=100% active=1 stop_reason=ended
"
);

timeline!(
    a_duration_that_grows_takes_nothing_back,
    "0    source /film.mp4
     0    load 20
     0    play
     10   load 40
     25   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 quartile ladder=watched percent=25 @5
   5.000 quartile ladder=position percent=25 @5
  10.000 quartile ladder=watched percent=50 @10
  10.000 quartile ladder=position percent=50 @10
  25.000 stop reason=closed
slice 0 at 0.000 for 25.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=25000 content_ms=25000 engaged_ms=25000 ladder_plays=1 played_ms_other=25000 startup_ms=1 reached_25=1 reached_50=1 position_25=1 position_50=1 watched=63% active=1 stop_reason=closed
"
);

timeline!(
    a_duration_that_shrinks_fires_nothing_twice,
    "0    source /film.mp4
     0    load 40
     0    play
     12   load 20
     15   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  10.000 quartile ladder=watched percent=25 @10
  10.000 quartile ladder=position percent=25 @10
  12.250 quartile ladder=watched percent=50 @12.25
  12.250 quartile ladder=position percent=50 @12.25
  15.000 quartile ladder=watched percent=75 @15
  15.000 quartile ladder=position percent=75 @15
  15.000 stop reason=closed
slice 0 at 0.000 for 15.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=15000 content_ms=15000 engaged_ms=15000 ladder_plays=1 played_ms_other=15000 startup_ms=1 reached_25=1 reached_50=1 reached_75=1 position_25=1 position_50=1 position_75=1 watched=75% active=1 stop_reason=closed
"
);

timeline!(
    a_duration_that_is_forgotten_for_a_while_is_remembered,
    "0    source /film.mp4
     0    load 20
     0    play
     2    load unknown
     8    load 20
     11   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 quartile ladder=watched percent=25 @5
   5.000 quartile ladder=position percent=25 @5
  10.000 quartile ladder=watched percent=50 @10
  10.000 quartile ladder=position percent=50 @10
  11.000 stop reason=closed
slice 0 at 0.000 for 11.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=11000 content_ms=11000 engaged_ms=11000 ladder_plays=1 played_ms_other=11000 startup_ms=1 reached_25=1 reached_50=1 position_25=1 position_50=1 watched=55% active=1 stop_reason=closed
"
);

timeline!(
    /// At least 97 % and the end reached is all of it.
    the_last_moments_may_be_missing,
    "0    source /film.mp4
     0    load 100
     0    play
     10   seek 12 0
     98   look
     105  leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  10.000 seek from_ms=10000 to_ms=12000 took_ms=0 @10
  23.000 quartile ladder=position percent=25 @25
  25.000 quartile ladder=watched percent=25 @27
  48.000 quartile ladder=position percent=50 @50
  50.000 quartile ladder=watched percent=50 @52
  73.000 quartile ladder=position percent=75 @75
  75.000 quartile ladder=watched percent=75 @77
  98.000 quartile ladder=position percent=100 @100
  98.000 quartile ladder=watched percent=100 @100
  98.000 end @100
 105.000 stop reason=ended
slice 0 at 0.000 for 105.000: views=1 impressions=1 play_requests=1 plays=1 seeks=1 ends=1 stops=1 played_ms=98000 content_ms=98000 engaged_ms=98000 ladder_plays=1 played_ms_other=98000 startup_ms=1 reached_25=1 reached_50=1 reached_75=1 reached_100=1 position_25=1 position_50=1 position_75=1 position_100=1 watched=98% active=11 stop_reason=ended
"
);

timeline!(
    with_more_missing_it_is_not_all_of_it,
    "0    source /film.mp4
     0    load 100
     0    play
     10   seek 15 0
     105  leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  10.000 seek from_ms=10000 to_ms=15000 took_ms=0 @10
  20.000 quartile ladder=position percent=25 @25
  25.000 quartile ladder=watched percent=25 @30
  45.000 quartile ladder=position percent=50 @50
  50.000 quartile ladder=watched percent=50 @55
  70.000 quartile ladder=position percent=75 @75
  75.000 quartile ladder=watched percent=75 @80
  95.000 quartile ladder=position percent=100 @100
  95.000 end @100
 105.000 stop reason=ended
slice 0 at 0.000 for 105.000: views=1 impressions=1 play_requests=1 plays=1 seeks=1 ends=1 stops=1 played_ms=95000 content_ms=95000 engaged_ms=95000 ladder_plays=1 played_ms_other=95000 startup_ms=1 reached_25=1 reached_50=1 reached_75=1 position_25=1 position_50=1 position_75=1 position_100=1 watched=95% active=11 stop_reason=ended
"
);

timeline!(
    scrubbing_over_everything_watches_nothing,
    "0    source /film.mp4
     0    load 60
     0    play
     2    seek 10 0.1
     2.3  seek 20 0.1
     2.6  seek 30 0.1
     2.9  seek 40 0.1
     3.2  seek 50 0.1
     3.5  pause
     8    leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   2.000 seek from_ms=2000 to_ms=50000 took_ms=500 @2
   3.500 pause @50.2
   8.000 stop reason=closed
slice 0 at 0.000 for 8.000: views=1 impressions=1 play_requests=1 plays=1 pauses=1 seeks=1 seek_ms=500 stops=1 played_ms=2200 content_ms=2200 paused_ms=4500 engaged_ms=2200 ladder_plays=1 played_ms_other=2200 startup_ms=1 seek_max_ms=500 watched=3% active=1 stop_reason=closed
"
);
