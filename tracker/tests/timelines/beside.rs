//! What happens beside the playing.

use crate::timeline;

timeline!(
    it_is_seen_in_the_viewport_once,
    "0    source /film.mp4
     0    load 60
     2    viewable
     3    viewable
     5    leave",
    @"
   0.000 impression
   2.000 viewable @0
   5.000 stop reason=closed
slice 0 at 0.000 for 5.000: views=1 impressions=1 viewables=1 stops=1 stop_reason=closed
"
);

timeline!(
    /// What is on already does not go on again.
    full_screen_picture_in_picture_and_ad_breaks_that_are_told_twice,
    "0    source /film.mp4
     0    load 60
     0    play
     1    fullscreen on
     2    fullscreen on
     3    fullscreen off
     3    fullscreen off
     4    pip on
     5    pip on
     6    pip off
     6    pip off
     7    pause
     7    adbreak on
     8    adbreak on
     9    adbreak off
     9    adbreak off
     10   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   1.000 fullscreen on=true @1
   3.000 fullscreen on=false @3
   4.000 pip on=true @4
   6.000 pip on=false @6
   7.000 pause @7
   7.000 ad_break on=true @7
   9.000 ad_break on=false @7
  10.000 stop reason=closed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 pauses=1 stops=1 played_ms=7000 content_ms=7000 paused_ms=3000 engaged_ms=7000 fullscreen_ms=2000 pip_ms=2000 ladder_plays=1 played_ms_other=7000 startup_ms=1 watched=12% active=1 stop_reason=closed
"
);

timeline!(
    /// Each slice has the time of its own five minutes.
    an_ad_break_over_the_five_minute_mark,
    "0    source /film.mp4
     0    load 600
     0    play
     290  adbreak on
     310  adbreak off
     311  leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
 150.000 quartile ladder=watched percent=25 @150
 150.000 quartile ladder=position percent=25 @150
 290.000 ad_break on=true @290
 310.000 ad_break on=false @310
 311.000 quartile ladder=position percent=50 @311
 311.000 stop reason=closed
slice 0 at 0.000 for 300.000: views=1 impressions=1 play_requests=1 plays=1 played_ms=290000 content_ms=290000 engaged_ms=290000 ad_ms=10000 ladder_plays=1 played_ms_other=290000 startup_ms=1 reached_25=1 position_25=1 watched=48% active=11111
slice 1 at 300.000 for 11.000: stops=1 played_ms=1000 content_ms=1000 engaged_ms=1000 ad_ms=10000 played_ms_other=1000 position_50=1 active=1 stop_reason=closed
"
);

timeline!(
    captions_audio_tracks_and_casting,
    "0    source /film.mp4
     0    load 60
     0    play
     1    captions fr
     3    captions off
     4    audio de
     5    cast on
     8    cast off
     10   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   1.000 captions language=fr on=true @1
   3.000 captions on=false @3
   4.000 audio_track language=de @4
   5.000 cast on=true @5
   8.000 cast on=false @8
  10.000 stop reason=closed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=10000 content_ms=10000 engaged_ms=10000 ladder_plays=1 played_ms_other=10000 captions_on=1 startup_ms=1 watched=17% active=1 stop_reason=closed
"
);

timeline!(
    shares_downloads_and_whatever_the_site_has,
    "0    source /film.mp4
     0    load 60
     0    play
     1    interact player share
     2    interact player download
     3    interact menu open
     5    leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   1.000 interaction feature=player name=share @1
   2.000 interaction feature=player name=download @2
   3.000 interaction feature=menu name=open @3
   5.000 stop reason=closed
slice 0 at 0.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=5000 content_ms=5000 engaged_ms=5000 ladder_plays=1 played_ms_other=5000 interactions=3 shares=1 downloads=1 startup_ms=1 watched=8% active=1 stop_reason=closed
"
);

timeline!(
    a_break_for_advertisements_is_not_played_time,
    "0    source /film.mp4
     0    load 60
     0    play
     5    adbreak on
     5    ad start
     10   ad quartile 50
     15   ad complete
     15   adbreak off
     20   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 ad_break on=true @5
   5.000 ad moment=start @5
  10.000 ad moment=quartile percent=50 @10
  15.000 ad moment=complete @15
  15.000 ad_break on=false @15
  16.000 quartile ladder=position percent=25 @16
  20.000 stop reason=closed
slice 0 at 0.000 for 20.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=10000 content_ms=10000 engaged_ms=10000 ad_ms=10000 ads=1 ladder_plays=1 played_ms_other=10000 startup_ms=1 position_25=1 watched=16% active=1 stop_reason=closed
"
);
